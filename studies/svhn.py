"""Street View House Numbers on the convolutional network of hls4ml's tutorial, streamed.

    dse run studies/svhn.py                               # downloads train_32x32.mat once (182 MB)
    dse run studies/svhn.py --data train_32x32.mat

The tutorial's network has pools that leave a row and a column over, and normalisations that dse folds into the weights.
"""

from dse import (
    Choice,
    EachLayer,
    Integers,
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

CONVOLUTIONS = {"conv1": 16, "conv2": 16, "conv3": 24}
DENSE = {"fc1": 42, "fc2": 64}


def model():
    """3 convolutions of 16, 16 and 24 filters with pools, dense layers of 42 and 64, and 10 logits."""
    from tf_keras import Sequential, layers, regularizers

    small = regularizers.L1(1e-4)
    found = [layers.Input((32, 32, 3))]
    for name, filters in CONVOLUTIONS.items():
        found += [
            layers.Conv2D(filters, 3, use_bias=False, kernel_regularizer=small, name=name),
            layers.BatchNormalization(momentum=0.9, name=f"{name}_norm"),
            layers.ReLU(name=f"{name}_relu"),
            layers.MaxPooling2D(2, name=f"{name}_pool"),
        ]
    found.append(layers.Flatten(name="flat"))
    for name, units in DENSE.items():
        found += [
            layers.Dense(units, use_bias=False, kernel_regularizer=small, name=name),
            layers.BatchNormalization(momentum=0.9, name=f"{name}_norm"),
            layers.ReLU(name=f"{name}_relu"),
        ]
    return Sequential([*found, layers.Dense(10, name="out")])


STUDY = Study(
    name="svhn",
    workload=Workload(
        data=datasets.svhn, model=model, training=Training(epochs=15, fine_tune_epochs=10, batch_size=256, learning_rate=3e-3)
    ),
    space=Space(
        weight_bits=EachLayer(Integers(3, 10)),
        activation_bits=EachLayer(Integers(3, 10)),
        sparsity=EachLayer(Steps(0.0, 0.75, 0.25)),
        input_bits=9,  # 8 bits of brightness and the sign
        reuse_factor=EachLayer(ReuseFactors(at_most=96)),
        strategy=Choice("latency", "resource"),
        io_type="io_stream",
    ),
    target=Target(part="xcu250-figd2104-2L-e", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("dsp"), Objective("lut"), Objective("bram_18k"), Objective("latency_ns")),
    first=(
        {
            **{f"weight_bits.{name}": 6 for name in (*CONVOLUTIONS, *DENSE, "out")},
            **{f"activation_bits.{name}_relu": 6 for name in (*CONVOLUTIONS, *DENSE)},
            **{f"sparsity.{name}": 0.5 for name in (*CONVOLUTIONS, *DENSE)},
            "sparsity.out": 0.0,
            **{f"reuse_factor.{name}": 1 for name in (*CONVOLUTIONS, *DENSE, "out")},
            "strategy": "latency",
        },
    ),
    trials=40,
)
