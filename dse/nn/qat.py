"""The flow of networks that are trained for each design: train, compress, convert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dse import preflight, scores
from dse.design import Design, Scalar
from dse.errors import StageFailed
from dse.flow import Built, Flow, Walk
from dse.legal import LayerShape
from dse.network import Network
from dse.nn import blueprint, compress, convert, graph, reference, train
from dse.store import Entry, Store, key_of
from dse.study import Target
from dse.workload import Rows, Workload


@dataclass(frozen=True)
class Trained(Flow):
    """A float model is trained once per architecture, pruned and quantised once per Compression, converted per design."""

    workload: Workload

    def layers(self, architecture: tuple[tuple[str, Scalar], ...]) -> tuple[LayerShape, ...]:
        """Layers with a kernel, and those that end in a ReLU."""
        return _layers(self.workload, architecture)

    def identity(self, architecture: tuple[tuple[str, Scalar], ...]) -> str:
        """The model's configuration and initial weights."""
        return train.config(self.workload, architecture)

    def outputs(self, architecture: tuple[tuple[str, Scalar], ...]) -> int:
        """Those of the model's last layer."""
        return int(train.build(self.workload, architecture).output_shape[1])

    def prove(self, target: Target, store: Store) -> None:
        """Build and emulate a one-neuron network; class weights must fit the data."""
        data = train.load_split(self.workload)
        scores.row_weights(self.workload.training, data.train.y, data.classes)
        preflight.preflight(target, store)

    def _small(self, design: Design, walk: Walk) -> tuple[Entry, dict[str, float]]:
        """The `train` and `compress` entries: the latter, and the float model's figures."""
        workload, arch = self.workload, design.architecture
        base = walk.get("train", lambda: train.causes(workload, arch), lambda to: train.train(workload, arch, to))
        small = walk.get(
            "compress",
            lambda: compress.causes(workload, design, base.key),
            lambda to: compress.compress(workload, design, base.folder, to),
        )
        return small, {name: float(value) for name, value in base.data.items() if name.endswith("_float")}

    def build(self, design: Design, target: Target, walk: Walk) -> Built:
        """The `train`, `compress` and `convert` entries."""
        small, reached = self._small(design, walk)
        built = walk.get(
            "convert", lambda: _causes(design, target, small), lambda to: _convert(self.workload, design, target, small, to)
        )
        return _built(built, reached)

    def foresee(self, design: Design, target: Target, rows: Mapping[str, Rows], data: str, walk: Walk) -> tuple[Built, Entry]:
        """From a blueprint, by hls4ml's own passes; designs that cannot be foreseen so are converted."""
        small, reached = self._small(design, walk)
        causes = _causes(design, target, small)
        try:
            seen = walk.get(
                reference.STAGE,
                lambda: {"foreseen": reference.VERSION, "convert": causes, "data": data},
                lambda to: self._foreseen(_network(self.workload, design, target, small), rows, to),
            )
        except StageFailed as error:
            if error.kind != "unsupported":
                raise
            return super().foresee(design, target, rows, data, walk)
        walk.entries["convert"] = key_of("convert", causes)  # made where the design reaches the front
        return _built(seen, reached), seen


def _built(entry: Entry, reached: Mapping[str, float]) -> Built:
    network = Network.load(entry.folder)
    return Built(entry, network, convert.effective(network), reached, "train", "tensorflow")


@lru_cache(maxsize=64)
def _layers(workload: Workload, architecture: tuple[tuple[str, Scalar], ...]) -> tuple[LayerShape, ...]:
    return shapes(train.build(workload, architecture))


def shapes(model: Any) -> tuple[LayerShape, ...]:
    """What the space must know of a float model's layers; StageFailed("unsupported") for one that cannot be built."""
    nodes = graph.nodes(model)
    used = {name for node in nodes for name in node.inputs}
    found = []
    for node in nodes:
        if node.weighted or node.activated:
            depthwise, last = node.kind == "DepthwiseConv2D", node.name not in used
            found.append(LayerShape(node.name, *node.size, node.weighted, node.activated, node.positions, depthwise, last))
    return tuple(found)


def _causes(design: Design, target: Target, small: Entry) -> dict[str, Any]:
    return {
        "version": convert.VERSION,
        "libraries": train.versions("hls4ml", "qkeras", "tf_keras") | train.versions_if_present("da4ml"),
        "backend": convert.BACKEND,
        "model": small.key,
        "hardware": design.as_json()["hardware"],
        "part": target.name,
        "clock_ns": target.clock_ns,
    }


def _convert(workload: Workload, design: Design, target: Target, small: Entry, folder: Path) -> Mapping[str, Any]:
    model = compress.load_model(workload, design, small.folder)
    told = convert.convert(model, design.hardware, target.name, target.clock_ns, folder)
    quantizers = graph.Quantizers.from_json(small.data["quantizers"])
    network = Network.load(folder)
    convert.check(network, design.hardware, quantizers, convert.quantised_weights(model, quantizers))
    return told


def _network(workload: Workload, design: Design, target: Target, small: Entry) -> Network:
    """What `_convert` would make, without a Keras model and without a project."""
    quantizers = graph.Quantizers.from_json(small.data["quantizers"])
    weights = train.load_weights(small.folder / "weights.npz")
    model = blueprint.blueprint(workload, design.architecture, quantizers, weights)
    network = convert.foresee(model, design.hardware, target.name, target.clock_ns)
    convert.check(network, design.hardware, quantizers, convert.quantised_weights(model, quantizers))
    return network
