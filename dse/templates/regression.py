"""NEW_STUDY: designs of a dense network that meets numbers instead of telling classes apart.

    dse run NEW_STUDY.py                    # as it stands: how diabetes goes on, from 10 features (scikit-learn's)
    dse run NEW_STUDY.py --data mine.csv    # a file of one's own: a column per feature, and `y`, the number to be met

Steps 1 to 4 are what to change for a problem of one's own. Reading this file trains nothing.
"""

from dse import (
    Choice,
    Data,
    EachLayer,
    Integers,
    Limit,
    Objective,
    ReuseFactors,
    Space,
    Steps,
    Study,
    Target,
    Training,
    Workload,
    datasets,
)


# 1. The data: y (n,) or, for several targets, (n, k). Scale y to about 1 and `mse` is the share of its variance that is left.
def data(path=None):
    """Built-in data, features and target standardised, or the file that --data names."""
    if path is not None:
        return datasets.from_file(path, task="regression")
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return Data((x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std(), task="regression")


# 2. The network: its arguments are architecture knobs. It ends in the numbers, one per target.
def model(width):
    """A float tf_keras model; dse quantises and prunes its layers by their names."""
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((10,)),  # as many as there are features
            layers.Dense(width, activation="relu", name="fc1"),
            layers.Dense(width, activation="relu", name="fc2"),
            layers.Dense(1, name="out"),  # as many as there are targets
        ]
    )


STUDY = Study(
    name="NEW_STUDY",  # results go to runs/NEW_STUDY/
    workload=Workload(data=data, model=model, training=Training(epochs=20, fine_tune_epochs=15, batch_size=32)),
    # 3. What is tried. A plain value is the same for every design; EachLayer chooses for each layer by itself.
    space=Space(
        architecture={"width": Choice(8, 16)},
        weight_bits=EachLayer(Integers(4, 10)),
        activation_bits=Integers(4, 10),
        sparsity=Steps(0.0, 0.75, 0.25),
        input_bits=10,
        reuse_factor=ReuseFactors(at_most=8),
        strategy=Choice("latency", "resource"),
    ),
    # 4. On what it shall run, and what is good. `r2` is 1 where all is explained and 0 where the mean would do as well.
    target=Target(part="xc7z020clg400-1", clock_ns=5.0),
    objectives=(Objective("mse"), Objective("lut"), Objective("dsp"), Objective("latency_ns")),
    limits=(Limit("r2", at_least=0.2), Limit("lut", at_most_percent=100)),
    trials=30,
)
