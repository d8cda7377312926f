"""The flow of trained models as they are: quantised after their training, for each design anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dse import preflight, scores
from dse.design import Design, Scalar
from dse.errors import DseError, UsageError
from dse.fixed import integer_bits
from dse.flow import Built, Flow, Walk
from dse.legal import LayerShape
from dse.network import Network
from dse.nn import convert, emulate, extract, likeness, quantise, saved, train
from dse.nn.anatomy import SAMPLE_ROWS, Anatomy, anatomy
from dse.space import Space
from dse.store import Entry, Store
from dse.study import Target
from dse.workload import Pretrained

STAGE = "profile"
VERSION = 3
#: Training rows on which hls4ml's reading of the model is compared with the model itself.
COMPARED_ROWS = 64
#: Knobs that say which types there are; a QKeras model says so itself.
PRECISION = ("weight_width", "weight_integer", "result_width", "result_integer", "input_width", "input_integer")


@dataclass(frozen=True)
class AsItIs(Flow):
    """A model is looked at once with its data, and converted with other types for each design; nothing is trained."""

    workload: Pretrained

    def layers(self, architecture: tuple[tuple[str, Scalar], ...]) -> tuple[LayerShape, ...]:  # noqa: ARG002
        """Layers with weights, and those whose results have a type of their own."""
        return _layers(self.workload, _digest(self.workload))

    def identity(self, architecture: tuple[tuple[str, Scalar], ...]) -> str:  # noqa: ARG002
        """The digest of the model's file."""
        return _digest(self.workload)

    def outputs(self, architecture: tuple[tuple[str, Scalar], ...]) -> int:  # noqa: ARG002
        """Those of the model's last layer."""
        network = _model(self.workload, _digest(self.workload)).network
        return int(network.layer(network.outputs[0]).output_shape[-1])

    def prove(self, target: Target, store: Store) -> None:
        """Build and emulate a one-neuron network."""
        preflight.preflight(target, store)

    def check(self, space: Space) -> None:
        """Refuse types for a model that has its own, and ask for them where it has none."""
        model = _model(self.workload, _digest(self.workload))
        given = [name for name in (*PRECISION, "rounding", "saturation") if getattr(space, name) is not None]
        if model.typed and given:
            raise UsageError(f"{self.workload.model} is a QKeras model with types of its own: leave out {', '.join(given)}.")
        if extract.ADDERS in space.asked("strategy"):
            raise UsageError(
                f"strategy {extract.ADDERS}: for a model that is converted as it is, hls4ml writes the weights into the code "
                "before they are rounded. Use latency, and `dse synth --rung open` for shared additions."
            )
        missing = [name for name in ("weight_width", "result_width") if getattr(space, name) is None]
        if not model.typed and missing:
            raise UsageError(f"{self.workload.model} has no types of its own: the space needs {', '.join(missing)}.")

    def build(self, design: Design, target: Target, walk: Walk) -> Built:
        """The `profile` and `convert` entries."""
        workload, digest = self.workload, _digest(self.workload)
        found = walk.get(STAGE, lambda: _profile_causes(workload, digest), lambda _: _profile(workload, digest))
        built = walk.get(
            convert.STAGE,
            lambda: _causes(design, target, found),
            lambda to: _convert(workload, digest, design, target, to),
        )
        network = Network.load(built.folder)
        reached = {name: float(value) for name, value in found.data["scores"].items()}
        library = "keras" if saved.look(Path(workload.model)).newest else "tf_keras"
        return Built(built, network, convert.effective(network), reached, STAGE, library)

    def causes(self, built: Built, data: str, *, as_built: bool) -> dict[str, Any]:
        """All that the outputs, and what is said of them beside the model's own, depend on."""
        return {**super().causes(built, data, as_built=as_built), "trained": _digest(self.workload)}

    def run(self, built: Built, rows: Mapping[str, np.ndarray], libraries: Path, folder: Path) -> Mapping[str, Any]:
        """Emulate, and compare with the unquantised model: rows that get the same class, and the largest difference."""
        told = super().run(built, rows, libraries, folder)
        model, task = _model(self.workload, _digest(self.workload)), train.load_split(self.workload).task
        same, furthest = {}, {}
        for name, x in rows.items():
            truth, outputs = model.outputs(x)[0], emulate.load_outputs(folder, name)
            furthest[name] = float(np.abs(truth - outputs).max())
            same[name] = scores.accuracy(outputs, scores.chosen(truth))
        return {**told, "difference": furthest, **({"trained": same} if task == "classification" else {})}


def _digest(workload: Pretrained) -> str:
    return saved.look(Path(workload.model)).digest


@lru_cache(maxsize=4)
def _model(workload: Pretrained, digest: str) -> Anatomy:
    """The model, checked against the data."""
    data = train.load_split(workload)
    model = anatomy(Path(workload.model), digest, classifies=data.task == "classification")
    first, last = model.network.layers[0], model.network.layer(model.network.outputs[0])
    shape, rows = first.output_shape, data.train.x.shape[1:]
    if len(model.model.inputs) != 1 or len(model.model.outputs) != 1:
        raise DseError(f"{workload.model}: a model needs one input and one output to be scored.")
    if shape != rows:
        raise DseError(f"{workload.model} takes inputs of shape {shape}, the data has rows of shape {rows}. Make them agree.")
    if last.output_shape not in {(n,) for n in data.outputs}:
        wanted = " or ".join(map(str, data.outputs))
        raise DseError(f"{workload.model} has outputs of shape {last.output_shape}; the data need {wanted} in a row.")
    likeness.check(model, data.train.x[:COMPARED_ROWS])
    return model


@lru_cache(maxsize=4)
def _values(workload: Pretrained, digest: str) -> Mapping[str, np.ndarray]:
    """What the layers with a result type of their own give on training rows, and the input, by name in the network."""
    model, x = _model(workload, digest), train.load_split(workload).train.x[:SAMPLE_ROWS]
    names = tuple(layer.name for layer in model.computing.values())
    return {model.network.layers[0].name: x, **dict(zip(names, model.outputs(x, names), strict=True))}


@lru_cache(maxsize=4)
def _layers(workload: Pretrained, digest: str) -> tuple[LayerShape, ...]:
    model, values = _model(workload, digest), _values(workload, digest)
    multipliers = {layer.name: layer for layer in model.network.multipliers}
    owners, computing = quantise.owners(model), model.computing
    found = []
    for name in dict.fromkeys((*owners, *computing)):
        layer = multipliers.get(name)
        weights = [model.network.weights[f"{name}/{part}"].ravel() for part in ("weight", "bias")] if name in owners else []
        found.append(
            LayerShape(
                name,
                layer.n_in if layer else 0,
                layer.n_out if layer else 0,
                weighted=layer is not None,
                activated=name in computing,
                positions=layer.attributes.get("positions") if layer else None,
                depthwise=layer is not None and layer.kind.startswith("depthwise"),
                last=bool({name, computing[name].name if name in computing else name} & set(model.network.outputs)),
                scaled=name in owners and layer is None,
                weight_integer=integer_bits(np.concatenate(weights), 32, covering=True) if weights else None,
                result_integer=integer_bits(values[computing[name].name], 32, covering=True) if name in computing else None,
            )
        )
    return tuple(found)


def _profile_causes(workload: Pretrained, digest: str) -> dict[str, Any]:
    return {
        "version": VERSION,
        "libraries": train.versions("tensorflow", "tf_keras", "keras", "numpy"),
        "model": digest,
        "data": train.load_split(workload).fingerprint,
    }


def _profile(workload: Pretrained, digest: str) -> Mapping[str, Any]:
    """The float model's scores on the validation rows, and the range of each layer's values on training rows."""
    model, data = _model(workload, digest), train.load_split(workload)
    ranges = {name: [float(v.min()), float(v.max())] for name, v in _values(workload, digest).items()}
    reached = scores.measure(model.outputs(data.validation.x)[0], data.validation.y, data.task)
    reached = {f"{name}_float": value for name, value in reached.items() if not name.endswith("_n")}
    return {"scores": reached, "dropped": model.dropped, "ranges": ranges}


def _causes(design: Design, target: Target, found: Entry) -> dict[str, Any]:
    return {
        "version": f"{convert.VERSION} {VERSION}",
        "libraries": train.versions("hls4ml", "qkeras", "tf_keras", "keras") | train.versions_if_present("da4ml"),
        "backend": convert.BACKEND,
        "model": found.key,
        "precision": design.as_json().get("precision", {}),
        "hardware": design.as_json()["hardware"],
        "part": target.name,
        "clock_ns": target.clock_ns,
    }


def _convert(workload: Pretrained, digest: str, design: Design, target: Target, folder: Path) -> Mapping[str, Any]:
    model = _model(workload, digest)
    wanted = None if design.precision is None else quantise.types(model, _values(workload, digest), design.precision)
    return quantise.convert_types(model, wanted, design.hardware, target, folder)
