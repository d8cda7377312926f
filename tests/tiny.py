"""A study small enough for tests: 8 inputs, 3 classes, seconds per design; also run as a study file by the command line."""

import numpy as np

from dse import Choice, Data, Integers, Objective, ReuseFactors, Space, Steps, Study, Target, Training, Workload


def blobs():
    """Three overlapping clouds of 40 points each in 8 dimensions."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(3, 8))
    y = np.repeat(np.arange(3), 40)
    return Data((centres[y] + 0.6 * rng.normal(size=(120, 8))).astype(np.float32), y)


def model():
    from tf_keras import Sequential, layers

    return Sequential([layers.Input((8,)), layers.Dense(8, activation="relu", name="fc1"), layers.Dense(3, name="out")])


STUDY = Study(
    name="tiny",
    workload=Workload(data=blobs, model=model, training=Training(epochs=20, fine_tune_epochs=6, batch_size=16)),
    space=Space(
        weight_bits=Integers(4, 6),
        activation_bits=Integers(4, 5),
        sparsity=Steps(0.0, 0.5, 0.5),
        input_bits=8,
        reuse_factor=ReuseFactors(at_most=4),
        strategy=Choice("latency", "resource"),
        io_type="io_parallel",
    ),
    target=Target(part="xcu250-figd2104-2L-e", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("lut"), Objective("latency_ns")),
    trials=6,
)
