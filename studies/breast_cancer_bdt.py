"""Breast cancer (scikit-learn's, 30 features) by boosted trees; studies/breast_cancer_mlp.py is the same by a network.

    dse run studies/breast_cancer_bdt.py          # needs the extra: pip install "dse[trees]"
    dse run studies/breast_cancer_mlp.py

Both have the same rows in training, validation and test, and the same judge: their designs can stand on one front.
"""

from dse import Choice, Integers, Limit, Objective, Space, Study, Target, Trees, datasets


def model(trees, depth, learning_rate):
    """An unfitted classifier; its arguments are the architecture knobs of the space below."""
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=trees, max_depth=depth, learning_rate=learning_rate)


STUDY = Study(
    name="breast_cancer_bdt",
    workload=Trees(data=datasets.breast_cancer, model=model),
    space=Space(
        architecture={"trees": Choice(2, 4, 8, 16, 32), "depth": Integers(1, 4), "learning_rate": Choice(0.1, 0.3, 1.0)},
        input_width=Integers(5, 12),  # of inputs and thresholds, which share one type
        result_width=Integers(5, 12),  # of leaves and their sum
    ),
    target=Target(part="xcu250-figd2104-2L-e", clock_ns=5.0),
    objectives=(Objective("auc"), Objective("lut"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.85),),
    emulate="front",  # compiling trees takes a hundred times as long as scoring them; the front is compiled as it is built
    trials=60,
)
