"""LHC jets by 16 features in 5 classes, hls4ml's own benchmark, on a dense network 16-64-32-32-5.

    dse run studies/jets.py                       # downloads the data once (OpenML, hls4ml_lhc_jets_hlf)
    dse run studies/jets.py --data jets.csv       # a file of the same columns; tools/jets_like.py draws one

The first two designs are those of hls4ml's tutorial: 16 bits without pruning, and 6 bits with 75 % of the weights pruned.
"""

from dse import (
    Choice,
    EachLayer,
    Integers,
    Objective,
    ReuseFactors,
    Space,
    Study,
    Target,
    Training,
    Workload,
    datasets,
)

LAYERS = ("fc1", "fc2", "fc3", "out")


def model():
    """The tutorial's network; it ends in logits, its softmax stays outside."""
    from tf_keras import Sequential, layers, regularizers

    small = regularizers.L1(1e-4)
    return Sequential(
        [
            layers.Input((16,)),
            layers.Dense(64, activation="relu", kernel_regularizer=small, name="fc1"),
            layers.Dense(32, activation="relu", kernel_regularizer=small, name="fc2"),
            layers.Dense(32, activation="relu", kernel_regularizer=small, name="fc3"),
            layers.Dense(5, kernel_regularizer=small, name="out"),
        ]
    )


def tutorial(bits, sparsity):
    """One of the tutorial's settings: the same for every layer."""
    return {
        **{f"weight_bits.{name}": bits for name in LAYERS},
        **{f"activation_bits.{name}": bits for name in LAYERS[:-1]},
        "sparsity": sparsity,
        "reuse_factor": 1,
        "strategy": "latency",
    }


STUDY = Study(
    name="jets",
    workload=Workload(
        data=datasets.jets,
        model=model,
        training=Training(epochs=10, fine_tune_epochs=10, batch_size=1024, learning_rate=1e-3),
    ),
    space=Space(
        weight_bits=EachLayer(Integers(2, 16)),
        activation_bits=EachLayer(Integers(2, 16)),
        sparsity=Choice(0.0, 0.25, 0.5, 0.75, 0.9),
        input_bits=16,
        reuse_factor=ReuseFactors(at_most=32),
        strategy=Choice("latency", "resource"),
        io_type="io_parallel",
    ),
    target=Target(part="xcu250-figd2104-2L-e", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("dsp"), Objective("lut"), Objective("latency_ns")),
    first=(tutorial(16, 0.0), tutorial(6, 0.75)),
    trials=100,
)
