"""NEW_STUDY: designs of boosted decision trees; conifer converts them.

    dse run NEW_STUDY.py                    # as it stands: breast cancer, 30 features in 2 classes (scikit-learn's)
    dse run NEW_STUDY.py --data mine.csv    # a file of one's own: a column per feature, and `y`, the class

The extra is needed: pip install "dse[trees]". Steps 1 to 4 are what to change for a problem of
one's own. Reading this file trains nothing.
"""

from dse import Choice, Integers, Limit, Objective, Space, Study, Target, Trees, datasets


# 1. The data. Return Data(x, y): x (n, features), y (n,) class labels 0, 1, 2 ... All features share one fixed-point type: give
#    them one scale. They are split 60/20/20 into training, validation (what the search sees) and test (for the front alone).
def data(path=None):
    """Built-in data, standardised, or the file that --data names: csv, Parquet, npz or HDF5."""
    return datasets.breast_cancer() if path is None else datasets.from_file(path)


# 2. The trees: an unfitted XGBClassifier, or scikit-learn's GradientBoostingClassifier or RandomForestClassifier. Its
#    arguments are architecture knobs.
def model(trees, depth):
    """An unfitted classifier."""
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=trees, max_depth=depth, learning_rate=0.3)


STUDY = Study(
    name="NEW_STUDY",  # results go to runs/NEW_STUDY/
    workload=Trees(data=data, model=model),
    # 3. What is tried: how many trees, how deep, and the width of their numbers; integer bits are fitted to the trees.
    space=Space(
        architecture={"trees": Choice(4, 8, 16, 32), "depth": Integers(2, 4)},
        input_width=Integers(6, 12),  # of inputs and thresholds, which share one type
        result_width=Integers(6, 12),  # of leaves and their sums
    ),
    # 4. On what it shall run, and what is good.
    target=Target(part="xc7z020clg400-1", clock_ns=5.0),
    objectives=(Objective("auc"), Objective("lut"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.85),),
    trials=30,
)
