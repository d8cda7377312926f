"""NEW_STUDY: designs of a convolutional network, streamed pixel by pixel or all at once.

    dse run NEW_STUDY.py                    # as it stands: handwritten digits as images of 8 x 8 pixels
    dse run NEW_STUDY.py --data mine.npz    # a file of one's own: arrays x (n, height, width, channels) and y (n,)

Steps 1 to 5 are what to change for a problem of one's own. Reading this file trains nothing.
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


# 1. The data. Pixels of about one scale (0 to 1), class labels 0, 1, 2 ... They are split 60/20/20 into training, validation
#    (what the search sees) and test (for the front alone).
def data(path=None):
    """Built-in digits as images, or the npz or HDF5 file that --data names."""
    if path is not None:
        return datasets.from_file(path)
    found = datasets.digits()
    return Data(found.x.reshape(-1, 8, 8, 1), found.y)


# 2. The network: its arguments are architecture knobs. A BatchNormalization straight after a layer is folded into its weights.
#    Pooling windows must not overlap; strided convolutions and padding="same" are fine. It ends in logits: no softmax.
def model(filters):
    """A float tf_keras model; dse quantises and prunes its layers by their names."""
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(filters, 3, padding="same", use_bias=False, name="conv1"),
            layers.BatchNormalization(momentum=0.9, name="norm1"),
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(12, 3, padding="same", name="conv2"),
            layers.ReLU(name="relu2"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.Flatten(name="flat"),
            layers.Dense(10, name="out"),  # as many as there are classes
        ]
    )


STUDY = Study(
    name="NEW_STUDY",  # results go to runs/NEW_STUDY/
    workload=Workload(data=data, model=model, training=Training(epochs=20, fine_tune_epochs=12, batch_size=64)),
    # 3. What is tried. EachLayer chooses for each layer by itself; a mapping names layers, "*" being all others.
    space=Space(
        architecture={"filters": Choice(4, 8)},
        weight_bits=EachLayer(Integers(3, 8)),
        activation_bits=EachLayer(Integers(3, 8)),
        sparsity={"out": 0.0, "*": Steps(0.0, 0.75, 0.25)},  # share of the weights that are pruned
        input_bits=8,
        reuse_factor=EachLayer(ReuseFactors(at_most=36)),  # those that hls4ml builds as asked
        strategy=Choice("latency", "resource"),
        io_type="io_stream",  # Choice("io_stream", "io_parallel") tries both
    ),
    # 4. On what it shall run, and what is good. "percent" is of the part.
    target=Target(part="xc7z020clg400-1", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("lut"), Objective("dsp"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.85), Limit("lut", at_most_percent=100), Limit("dsp", at_most_percent=100)),
    # 5. A design that is tried first: what one would have built by hand.
    first=(
        {
            "architecture.filters": 8,
            **{f"weight_bits.{layer}": 6 for layer in ("conv1", "conv2", "out")},
            **{f"activation_bits.{layer}": 6 for layer in ("relu1", "relu2")},
            "sparsity": 0.0,
            **{f"reuse_factor.{layer}": 1 for layer in ("conv1", "conv2", "out")},
            "strategy": "latency",
        },
    ),
    trials=30,
)
