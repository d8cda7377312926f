"""Handwritten digits as images of 8 x 8 pixels on a small convolutional network, streamed or in parallel.

    dse run studies/digits_cnn.py

Every layer has bits of its own, and the convolutions and the dense layers are pruned apart.
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


def data():
    """Rows of 8 x 8 pixels with one channel."""
    found = datasets.digits()
    return Data(found.x.reshape(-1, 8, 8, 1), found.y)


def model():
    """Two convolutions whose normalisations dse folds into their weights, a pool after each, and a dense layer."""
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv1"),
            layers.BatchNormalization(momentum=0.9, name="norm1"),
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(12, 3, padding="same", use_bias=False, name="conv2"),
            layers.BatchNormalization(momentum=0.9, name="norm2"),
            layers.ReLU(name="relu2"),
            layers.AveragePooling2D(2, name="pool2"),
            layers.Flatten(name="flat"),
            layers.Dense(10, name="out"),
        ]
    )


STUDY = Study(
    name="digits_cnn",
    workload=Workload(data=data, model=model, training=Training(epochs=20, fine_tune_epochs=12)),
    space=Space(
        weight_bits=EachLayer(Integers(3, 10)),
        activation_bits=EachLayer(Integers(3, 8)),
        sparsity={"out": Steps(0.0, 0.5, 0.25), "*": Steps(0.0, 0.75, 0.25)},
        input_bits=6,  # pixels are 0, 1/16, ... 1: no bit is lost
        reuse_factor=EachLayer(ReuseFactors(at_most=36)),
        strategy=Choice("latency", "resource"),
        io_type=Choice("io_stream", "io_parallel"),
    ),
    target=Target(part="xcu250-figd2104-2L-e", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("dsp"), Objective("lut"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.85),),
    first=(
        {
            **{f"weight_bits.{layer}": 6 for layer in ("conv1", "conv2", "out")},
            **{f"activation_bits.{layer}": 6 for layer in ("relu1", "relu2")},
            "sparsity": 0.5,
            "sparsity.out": 0.0,
            "strategy": "latency",
            "io_type": "io_stream",
            **{f"reuse_factor.{layer}": 1 for layer in ("conv1", "conv2", "out")},
        },
    ),
    trials=40,
)
