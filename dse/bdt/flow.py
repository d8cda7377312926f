"""The flow of boosted trees: train, convert, emulate."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
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
from dse.nn import reference
from dse.nn.emulate import load_outputs
from dse.nn.train import load_split, versions
from dse.scores import chosen
from dse.store import Entry, Store, key_of
from dse.study import Target
from dse.workload import Rows, Trees


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
        base = self._trained(design, walk)

        def make(folder: Path) -> Mapping[str, Any]:
            convert.convert(*self._parts(design, base), target, folder)
            shutil.copy2(base.folder / MARGINS, folder / MARGINS)
            return {}

        return _built(walk.get("convert", lambda: _causes(design, target, base), make), base)

    def foresee(self, design: Design, target: Target, rows: Mapping[str, Rows], data: str, walk: Walk) -> tuple[Built, Entry]:
        """From the trees in fixed point: no project is written, and what is built later must be this network."""
        base = self._trained(design, walk)
        causes = _causes(design, target, base)

        def make(folder: Path) -> Mapping[str, Any]:
            network = convert.foresee(*self._parts(design, base), target)
            network.save(folder)
            outputs = {name: emulate.reference(network, found.x) for name, found in rows.items()}
            with (folder / "outputs.npz").open("wb") as file:
                np.savez(file, allow_pickle=False, **outputs)
            for name, found in rows.items():
                np.save(folder / f"labels-{name}.npy", found.y, allow_pickle=False)
            return {"agreement": {}, "trained": _same_class(folder, base.folder, rows), "network": network.digest}

        seen = walk.get(reference.STAGE, lambda: {"foreseen": emulate.VERSION, "convert": causes, "data": data}, make)
        walk.entries["convert"] = key_of("convert", causes)  # made where the design reaches the front
        return _built(seen, base), seen

    def _trained(self, design: Design, walk: Walk) -> Entry:
        workload, arch = self.workload, design.architecture
        return walk.get("train", lambda: train.causes(workload, arch), lambda to: train.train(workload, arch, to))

    def _parts(self, design: Design, base: Entry) -> tuple[Ensemble, Precision, int]:
        """The trained trees, their widths and the number of features."""
        assert design.precision is not None
        features = int(load_split(self.workload).train.x.shape[1])
        return train.load(base.folder, base.data["convention"]), design.precision, features

    def causes(self, built: Built, data: str, *, as_built: bool) -> dict[str, Any]:  # noqa: ARG002
        """All that the outputs depend on; every design is emulated as it is built."""
        return emulate.causes(built.network, data)

    def run(self, built: Built, rows: Mapping[str, np.ndarray], libraries: Path, folder: Path) -> Mapping[str, Any]:
        """Conifer's generated code, compiled."""
        told = emulate.run(built.network, built.project, rows, libraries, folder)
        return {**told, "trained": _same_class(folder, built.entry.folder, rows)}


def _built(entry: Entry, base: Entry) -> Built:
    network = Network.load(entry.folder)
    reached = {name: float(value) for name, value in base.data.items() if name.endswith("_float")}
    return Built(entry, network, convert.effective(network), reached, "train", train.KINDS[base.data["kind"]])


def _same_class(folder: Path, trained: Path, names: Iterable[str]) -> dict[str, float]:
    """The share of rows, per set, for which the outputs in `folder` choose the class that the trained model chose."""
    with np.load(trained / MARGINS, allow_pickle=False) as file:
        return {name: float(np.mean(chosen(load_outputs(folder, name)) == chosen(file[name]))) for name in names}


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
