"""NEW_STUDY: designs of a dense network that is pruned, and quantised while it is trained.

    dse run NEW_STUDY.py                    # as it stands: handwritten digits, 64 pixels in 10 classes
    dse run NEW_STUDY.py --trials 100       # later: goes on from there
    dse run NEW_STUDY.py --data mine.csv    # a file of one's own: a column per feature, and `y`, the class

Steps 1 to 5 are what to change for a problem of one's own. Reading this file trains nothing.
"""

from dse import (
    Choice,
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


# 1. The data. Return Data(x, y): x (n, ...) numbers of about one scale, y (n,) class labels 0, 1, 2 ... They are split 60/20/20
#    into training, validation (what the search sees) and test (for the front alone).
def data(path=None):
    """Built-in digits, or the file that --data names: csv, Parquet, npz or HDF5."""
    return datasets.digits() if path is None else datasets.from_file(path)


# 2. The network. Its arguments are architecture knobs: the space says which values they take. It ends in logits: no softmax.
def model(width):
    """A float tf_keras model; dse quantises and prunes its layers by their names."""
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((64,)),  # as many as there are features
            layers.Dense(width, activation="relu", name="fc1"),
            layers.Dense(16, activation="relu", name="fc2"),
            layers.Dense(10, name="out"),  # as many as there are classes
        ]
    )


STUDY = Study(
    name="NEW_STUDY",  # results go to runs/NEW_STUDY/
    workload=Workload(data=data, model=model, training=Training(epochs=30, fine_tune_epochs=20, batch_size=64)),
    # 3. What is tried. A plain value is the same for every design; EachLayer chooses for each layer by itself.
    space=Space(
        architecture={"width": Choice(16, 32)},
        weight_bits=EachLayer(Integers(3, 8)),
        activation_bits=Integers(3, 8),
        sparsity=Steps(0.0, 0.75, 0.25),  # share of the weights that are pruned
        input_bits=8,
        reuse_factor=ReuseFactors(at_most=16),  # multiplications that share a multiplier; those that hls4ml builds as asked
        strategy=Choice("latency", "resource"),
        io_type="io_parallel",
    ),
    # 4. On what it shall run, and what is good. "percent" is of the part.
    target=Target(part="xc7z020clg400-1", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("lut"), Objective("dsp"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.85), Limit("lut", at_most_percent=100), Limit("dsp", at_most_percent=100)),
    # 5. A design that is tried first: what one would have built by hand.
    first=(
        {
            "architecture.width": 32,
            **{f"weight_bits.{layer}": 6 for layer in ("fc1", "fc2", "out")},
            "activation_bits": 6,
            "sparsity": 0.0,
            "reuse_factor": 1,
            "strategy": "latency",
        },
    ),
    trials=30,
)
