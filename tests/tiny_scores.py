"""Studies of seconds that are scored otherwise than by the accuracy of one logit per class."""

from dataclasses import replace

import numpy as np

from dse import Data, Limit, Objective, Score, Training, Workload
from tests.tiny import STUDY, blobs


def two():
    """Two of the three clouds, one of them with few rows."""
    data = blobs()
    kept = np.flatnonzero((data.y == 0) | ((data.y == 1) & (np.arange(120) % 2 == 0)))
    return Data(data.x[kept], data.y[kept])


def line():
    """Two numbers that depend on the eight inputs."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(150, 8))
    return Data(x, x @ rng.normal(size=(8, 2)) / 4, task="regression")


def network(outputs):
    def model():
        from tf_keras import Sequential, layers

        return Sequential(
            [layers.Input((8,)), layers.Dense(8, activation="relu", name="fc1"), layers.Dense(outputs, name="out")]
        )

    return model


def recall(outputs, y):
    """The share of the rows of class 1 that are found."""
    return np.mean(outputs[y == 1, 0] > 0)


TRAINING = Training(epochs=20, fine_tune_epochs=6, batch_size=16)
BINARY = replace(
    STUDY,
    name="binary",
    workload=Workload(two, network(1), TRAINING, scores=(Score("recall", recall, "max", "rows of class 1 that are found"),)),
    objectives=(Objective("recall"), Objective("auc"), Objective("lut")),
    limits=(Limit("recall", at_least=0.1),),
)
REGRESSION = replace(
    STUDY, name="regression", workload=Workload(line, network(2), TRAINING), objectives=(Objective("mse"), Objective("lut"))
)
