"""Handwritten digits (scikit-learn's, 8 x 8 pixels) on a small dense network: the study to begin with.

    dse run studies/digits.py

Copy this file to make a study of your own: change the data, the model and the space.
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
    """A float Keras model that ends in logits; dse quantises and prunes its layers by their names."""
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((64,)),
            layers.Dense(32, activation="relu", name="fc1"),
            layers.Dense(16, activation="relu", name="fc2"),
            layers.Dense(10, name="out"),
        ]
    )


STUDY = Study(
    name="digits",
    workload=Workload(data=datasets.digits, model=model, training=Training(epochs=30, fine_tune_epochs=20)),
    space=Space(
        weight_bits=EachLayer(Integers(3, 12)),  # fc1, fc2 and out each have their own
        activation_bits=Integers(3, 12),
        sparsity=Steps(0.0, 0.9, 0.1),
        input_bits=6,  # pixels are 0, 1/16, ... 1: no bit is lost
        reuse_factor=ReuseFactors(),  # those that hls4ml builds as asked for every layer
        strategy=Choice("latency", "resource"),
        io_type=Choice("io_parallel", "io_stream"),
    ),
    target=Target(part="xcu250-figd2104-2L-e", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("dsp"), Objective("lut"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.85), Limit("lut", at_most_percent=50)),
    first=(
        {
            **{f"weight_bits.{layer}": 6 for layer in ("fc1", "fc2", "out")},
            "activation_bits": 6,
            "sparsity": 0.5,
            "reuse_factor": 1,
            "strategy": "latency",
            "io_type": "io_parallel",
        },
    ),
)
