"""MNIST, handwritten digits of 28 x 28 pixels, on a small convolutional network that is streamed.

dse run studies/mnist.py                      # downloads the data once (OpenML, mnist_784)
dse run studies/mnist.py --data mnist.npz     # arrays x (n, 28, 28) from 0 to 255 and y (n,)
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


def model():
    """Two convolutions with pools between them, and a dense layer; normalisations are folded into the weights."""
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(8, 3, strides=2, use_bias=False, name="conv1"),
            layers.BatchNormalization(momentum=0.9, name="norm1"),
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(16, 3, use_bias=False, name="conv2"),
            layers.BatchNormalization(momentum=0.9, name="norm2"),
            layers.ReLU(name="relu2"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.Flatten(name="flat"),
            layers.Dense(10, name="out"),
        ]
    )


STUDY = Study(
    name="mnist",
    workload=Workload(data=datasets.mnist, model=model, training=Training(epochs=8, fine_tune_epochs=5, batch_size=128)),
    space=Space(
        weight_bits=EachLayer(Integers(3, 8)),
        activation_bits=EachLayer(Integers(3, 8)),
        sparsity=EachLayer(Steps(0.0, 0.75, 0.25)),
        input_bits=9,  # 8 bits of brightness and the sign
        reuse_factor=EachLayer(ReuseFactors(at_most=72)),
        strategy=Choice("latency", "resource"),
        io_type="io_stream",
    ),
    target=Target(part="xc7z020clg400-1", clock_ns=10.0),
    objectives=(Objective("accuracy"), Objective("dsp"), Objective("lut"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.9), Limit("lut", at_most_percent=100), Limit("dsp", at_most_percent=100)),
    trials=60,
)
