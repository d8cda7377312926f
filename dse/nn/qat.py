"""The flow of networks that are trained for each design: train, compress, convert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dse import preflight, scores
from dse.design import Design, Scalar
from dse.flow import Built, Flow, Walk
from dse.legal import LayerShape
from dse.network import Network
from dse.nn import compress, convert, graph, train
from dse.store import Entry, Store
from dse.study import Target
from dse.workload import Workload


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

    def build(self, design: Design, target: Target, walk: Walk) -> Built:
        """The `train`, `compress` and `convert` entries."""
        workload, arch = self.workload, design.architecture
        base = walk.get("train", lambda: train.causes(workload, arch), lambda to: train.train(workload, arch, to))
        small = walk.get(
            "compress",
            lambda: compress.causes(workload, design, base.key),
            lambda to: compress.compress(workload, design, base.folder, to),
        )
        built = walk.get(
            "convert", lambda: _causes(design, target, small), lambda to: _convert(workload, design, target, small, to)
        )
        network = Network.load(built.folder)
        reached = {name: float(value) for name, value in base.data.items() if name.endswith("_float")}
        return Built(built, network, convert.effective(network), reached, "train", "tensorflow")


@lru_cache(maxsize=64)
def _layers(workload: Workload, architecture: tuple[tuple[str, Scalar], ...]) -> tuple[LayerShape, ...]:
    found = []
    nodes = graph.nodes(train.build(workload, architecture))
    used = {name for node in nodes for name in node.inputs}
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
