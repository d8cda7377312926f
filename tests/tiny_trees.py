"""A study of boosted trees that takes seconds."""

from dse import Integers, Objective, Space, Study, Target, Trees
from tests.tiny import blobs


def boosted(trees=4, depth=2):
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=trees, max_depth=depth)


STUDY = Study(
    name="trees",
    workload=Trees(blobs, boosted),
    space=Space(input_width=Integers(8, 10), result_width=Integers(8, 10)),
    target=Target(part="xcu250-figd2104-2L-e", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("lut"), Objective("latency_ns")),
    trials=3,
)
