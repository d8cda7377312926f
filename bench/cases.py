"""Studies that the benchmarks sweep: the same workloads and designs as `plain_loop.py`, as a user of dse would write them."""

from __future__ import annotations

import itertools
import random

from dse import (
    Choice,
    Data,
    EachLayer,
    Integers,
    Objective,
    Space,
    Study,
    Target,
    Training,
    Workload,
    datasets,
)

OBJECTIVES = (Objective("accuracy"), Objective("lut"), Objective("latency_ns"))
TARGET = Target("xcu250-figd2104-2L-e")


def jets():
    """100,000 generated rows of 16 features in 5 classes."""
    from sklearn.datasets import make_classification

    x, y = make_classification(100_000, 16, n_informative=10, n_redundant=4, n_classes=5, random_state=0)
    return Data(x, y)


def images():
    """The digits as images of one channel."""
    found = datasets.digits()
    return Data(found.x.reshape(-1, 8, 8, 1), found.y)


def dense(shape, *sizes):
    """A network of dense layers."""
    from tf_keras import Sequential, layers

    inner = [layers.Dense(n, activation="relu", name=f"fc{i}") for i, n in enumerate(sizes[:-1])]
    return Sequential([layers.Input(shape), *inner, layers.Dense(sizes[-1], name="out")])


def digits_model():
    """64-32-16-10."""
    return dense((64,), 32, 16, 10)


def jets_model():
    """16-64-32-32-5."""
    return dense((16,), 64, 32, 32, 5)


def images_model():
    """Two convolutions of 3 x 3 and a dense layer."""
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv0"),
            layers.Conv2D(8, 3, activation="relu", name="conv1"),
            layers.Flatten(name="flat"),
            layers.Dense(10, name="out"),
        ]
    )


def training(epochs, batch_size=64):
    """The same epochs for the float model and for the fine-tuning."""
    return Training(epochs=epochs, fine_tune_epochs=epochs, batch_size=batch_size)


def different(n):
    """`n` designs that differ in width, sparsity and hardware knobs, as rows for the plain loop."""
    pick = random.Random(0)
    every = itertools.product(
        range(3, 13), [0.0, 0.3, 0.5, 0.7], [1, 2, 4, 8], ["latency", "resource"], ["io_parallel", "io_stream"]
    )
    rows = [{"bits": b, "sparsity": p, "reuse_factor": r, "strategy": s, "io_type": t} for b, p, r, s, t in every]
    return pick.sample(rows, n)


def variants():
    """24 hardware variants of one trained model."""
    knobs = itertools.product([1, 2, 4, 8, 16, 32], ["latency", "resource"], ["io_parallel", "io_stream"])
    return [{"bits": 6, "sparsity": 0.5, "reuse_factor": r, "strategy": s, "io_type": t} for r, s, t in knobs]


def listed(rows, epochs):
    """A study of exactly these designs of the digits network, each emulated."""
    ours = [{"weight_bits": row["bits"], "activation_bits": row["bits"], **row} for row in rows]
    knob = {name: Choice(*sorted({row[name] for row in ours})) for name in ours[0] if name != "bits"}
    free = [name for name, domain in knob.items() if len(domain.values) > 1]
    workload = Workload(data=datasets.digits, model=digits_model, training=training(epochs))
    first = tuple({name: row[name] for name in free} for row in ours)
    space = Space(input_bits=6, **knob)
    return Study("bench", workload, space, TARGET, OBJECTIVES, first=first, trials=len(ours), sampler="random")


def enumerated(n, epochs):
    """The digits space of weight bits x activation bits x sparsity, cut to about `n` designs (1,000: all), front emulated."""
    side = max(2, min(10, round(n ** (1 / 3))))
    workload = Workload(data=datasets.digits, model=digits_model, training=training(epochs))
    space = Space(
        weight_bits=Integers(3, 2 + side),
        activation_bits=Integers(3, 2 + side),
        sparsity=Choice(*(round(0.1 * i, 1) for i in range(side))),
        input_bits=6,
    )
    return Study("bench", workload, space, TARGET, OBJECTIVES, trials=space.size, emulate="front")


def searched(case, n, epochs):
    """`n` designs with a width per layer of the jets or images network, as TPE proposes them, front emulated."""
    data, model = {"jets": (jets, jets_model), "images": (images, images_model)}[case]
    workload = Workload(data=data, model=model, training=training(epochs, 1024 if case == "jets" else 64))
    space = Space(
        weight_bits=EachLayer(Integers(3, 12)),
        activation_bits=EachLayer(Integers(3, 12)),
        sparsity=Choice(0.0, 0.3, 0.5, 0.7),
        input_bits=12 if case == "jets" else 6,
        reuse_factor=1,
    )
    return Study("bench", workload, space, TARGET, OBJECTIVES, trials=n, emulate="front")


def per_layer(case, n):
    """`n` designs of those workloads, as rows for the plain loop."""
    pick = random.Random(0)
    layers = {"jets": 4, "images": 3}[case]
    common = {"reuse_factor": 1, "strategy": "latency", "io_type": "io_parallel"}
    return [
        {"bits": [pick.randint(3, 12) for _ in range(layers)], "sparsity": pick.choice([0.0, 0.3, 0.5, 0.7]), **common}
        for _ in range(n)
    ]
