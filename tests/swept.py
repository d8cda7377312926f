"""A finished sweep with projects and emulations in its store, made without training: what `dse synth` works on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from build_run import RESOURCES, plain_record, write_run
from vendor_tools import build_network, build_project

from dse.goals import Goals, Objective
from dse.metrics import Judge
from dse.record import Failure, Record
from dse.run import Run
from dse.store import Store

ESTIMATE = Judge("estimate", "csynth", "law-1", "estimated", "xc7z020-clg400-1", 4.0)
GOALS = Goals((Objective("accuracy"), Objective("lut")), (), ESTIMATE, RESOURCES)
#: Accuracy and look-up tables by trial: 0, 1 and 2 are the front, 3 is not; 4 has failed before it was converted.
FIGURES = ((0.9, 100), (0.8, 90), (0.7, 80), (0.6, 500))


def build_swept(root: Path) -> Run:
    """The folder `root/tiny` and the store beside it."""
    store = Store(root)
    store.prepare()
    records = [_record(trial, store, accuracy=a, lut=lut) for trial, (a, lut) in enumerate(FIGURES)]
    records.append(plain_record(4, failure=Failure("compress", "crash", "the worker died"), judge=ESTIMATE))
    return write_run(root / "tiny", records, what=GOALS, name="tiny")


def _record(trial: int, store: Store, **values: float) -> Record:
    network = build_network()
    network = replace(network, weights={**network.weights, "fc1/bias": np.array([0.25 * trial, 0.0])})

    def convert(folder: Path) -> dict:
        network.save(folder)
        build_project(folder / "project")
        return {}

    def emulate(folder: Path) -> dict:
        np.save(folder / "inputs-validation.npy", np.array([[0.5, -0.25], [1.0, 0.125]], dtype=np.float32))
        np.savez(folder / "outputs.npz", validation=np.array([[0.25, 1.5], [-1.0, 0.0625], [0.5, 0.5]]))
        return {"agreement": {"validation": 1.0}}

    keys = {
        "convert": store.get("convert", {"trial": trial}, convert).key,
        "emulate": store.get("emulate", {"trial": trial}, emulate).key,
    }
    return replace(plain_record(trial, judge=ESTIMATE, **values), entries=keys)
