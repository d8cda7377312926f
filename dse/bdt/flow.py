"""The flow of boosted trees: train, convert, emulate."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dse.bdt import convert, emulate, train
from dse.bdt.ensemble import Ensemble
from dse.bdt.train import MARGINS
from dse.compiler import compiler_version
from dse.design import Design, PerLayer, Precision, Scalar
from dse.errors import DseError, StageFailed
from dse.flow import Built, Flow, Walk
from dse.legal import LayerShape
from dse.network import Network
from dse.nn.emulate import load_outputs
from dse.nn.train import load_split, versions
from dse.scores import chosen
from dse.store import Entry, Store
from dse.study import Target
from dse.workload import Trees


@dataclass(frozen=True)
class Boosted(Flow):
    """A classifier is trained once per architecture, put into fixed point and converted per design."""

    workload: Trees
    emulator = "conifer"

    def layers(self, architecture: tuple[tuple[str, Scalar], ...]) -> tuple[LayerShape, ...]:
        """One: all trees together, whose results have a width."""
        train.build(self.workload, architecture)
        data = load_split(self.workload)
        shape = (int(data.train.x.shape[1]), train.outputs(data))
        return (LayerShape(convert.TREES, *shape, weighted=False, activated=True),)

    def identity(self, architecture: tuple[tuple[str, Scalar], ...]) -> str:
        """The classifier's kind and settings."""
        return train.identity(self.workload, architecture)

    def outputs(self, architecture: tuple[tuple[str, Scalar], ...]) -> int:  # noqa: ARG002
        """One score for two classes, else one per class."""
        return train.outputs(load_split(self.workload))

    def prove(self, target: Target, store: Store) -> None:
        """Convert and emulate one tree of one comparison, once per set of versions."""
        causes = {
            "version": [convert.VERSION, emulate.VERSION],
            "libraries": versions("conifer", "hls4ml", "numpy"),
            "compiler": compiler_version(),
            "part": target.name,
        }
        store.get("preflight", causes, lambda folder: _stump(target, store, folder))

    def build(self, design: Design, target: Target, walk: Walk) -> Built:
        """The `train` and `convert` entries."""
        workload, arch = self.workload, design.architecture
        base = walk.get("train", lambda: train.causes(workload, arch), lambda to: train.train(workload, arch, to))
        features = int(load_split(workload).train.x.shape[1])

        def make(folder: Path) -> Mapping[str, Any]:
            ensemble = train.load(base.folder, base.data["convention"])
            assert design.precision is not None
            convert.convert(ensemble, design.precision, features, target, folder)
            shutil.copy2(base.folder / MARGINS, folder / MARGINS)
            return {}

        built = walk.get("convert", lambda: _causes(design, target, base), make)
        network = Network.load(built.folder)
        reached = {name: float(value) for name, value in base.data.items() if name.endswith("_float")}
        library = train.KINDS[base.data["kind"]]
        return Built(built, network, convert.effective(network), reached, "train", library)

    def causes(self, built: Built, data: str, *, as_built: bool) -> dict[str, Any]:  # noqa: ARG002
        """All that the outputs depend on; every design is emulated as it is built."""
        return emulate.causes(built.network, data)

    def run(self, built: Built, rows: Mapping[str, np.ndarray], libraries: Path, folder: Path) -> Mapping[str, Any]:
        """Conifer's generated code, compiled."""
        told = emulate.run(built.network, built.project, rows, libraries, folder)
        with np.load(built.entry.folder / MARGINS, allow_pickle=False) as file:
            same = {name: chosen(load_outputs(folder, name)) == chosen(file[name]) for name in rows}
        return {**told, "trained": {name: float(np.mean(rows)) for name, rows in same.items()}}


def _causes(design: Design, target: Target, base: Entry) -> dict[str, Any]:
    return {
        "version": convert.VERSION,
        "libraries": versions("conifer"),
        "backend": convert.BACKEND,
        "model": base.key,
        "precision": design.as_json()["precision"],
        "part": target.name,
        "clock_ns": target.clock_ns,
    }


def _stump(target: Target, store: Store, folder: Path) -> Mapping[str, Any]:
    tree = {
        "feature": [0, -2, -2],
        "threshold": [0.25, 0, 0],
        "children_left": [1, -1, -1],
        "children_right": [2, -1, -1],
        "value": [0, -0.5, 0.75],
    }
    widths = Precision(input_width=6, result_width=PerLayer(6))
    rows = {"probe": np.linspace(-1, 1, 9).reshape(-1, 1)}
    try:
        convert.convert(Ensemble.of([(0, tree)], 1, "<"), widths, 1, target, folder)
        network = Network.load(folder)
        told = emulate.run(network, folder / "project", rows, store.folder / "libraries", folder)
    except StageFailed as error:
        raise DseError(f"a single comparison could not be built and emulated here: {error.message}\n{error.log}") from error
    if told["agreement"]["probe"] < 1:
        raise DseError("a single comparison: the emulation differs from the float64 reference on this machine.")
    return told
