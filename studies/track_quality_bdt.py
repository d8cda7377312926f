"""Genuine or fake: tracks of the CMS level-1 trigger by 7 features, with boosted trees.

    dse run studies/track_quality_bdt.py --data tracks.npz        # needs the extra: pip install "dse[trees]"

The data file holds one row per track: an npz or HDF5 file with arrays X (n, 7) and y (n,), 1 for genuine tracks, or a csv or
Parquet file with seven columns of features and one of labels, y. C. Savard has published 5,000 such tracks with the trees
that were made for the trigger: https://github.com/cgsavard/TQ_FPGA_example (tb_data).
"""

from dse import Choice, DseError, Integers, Limit, Objective, Space, Study, Target, Trees, datasets


def tracks(path=None):
    """Tracks of a file; the features are of one scale, as the trigger computes them, and are taken as they are."""
    if path is None:
        raise DseError(
            "this study needs a data file: dse run studies/track_quality_bdt.py --data tracks.npz (see its first lines)."
        )
    return datasets.from_file(path)


def model(trees, depth):
    """The trigger's own settings are 60 to 100 trees of depth 3."""
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=trees, max_depth=depth, learning_rate=0.3)


STUDY = Study(
    name="track_quality_bdt",
    workload=Trees(data=tracks, model=model),
    space=Space(
        architecture={"trees": Choice(5, 10, 20, 40, 60), "depth": Integers(2, 4)},
        input_width=Integers(6, 14),
        result_width=Integers(5, 12),
    ),
    target=Target(part="xcvu9p-flga2104-2L-e", clock_ns=4.17),
    objectives=(Objective("auc"), Objective("lut"), Objective("latency_ns")),
    limits=(Limit("latency_ns", at_most=50),),
    first=({"architecture.trees": 60, "architecture.depth": 3, "input_width": 11, "result_width": 11},),
    emulate="front",  # compiling trees takes a hundred times as long as scoring them; the front is compiled as it is built
    trials=60,
)
