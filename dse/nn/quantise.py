"""Fixed-point types for a trained model's weights and results, and the hls4ml project that has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dse.design import Hardware, PerLayer, Precision
from dse.errors import StageFailed
from dse.fixed import integer_bits, quantise
from dse.network import FixedType, Layer, Network
from dse.nn import anatomy, convert, extract, ranges
from dse.nn.anatomy import Anatomy
from dse.study import Target

#: Kinds of layers that hls4ml puts into streams: copies for branches, and zeros around the pixels of a convolution.
INSERTED = ("clone", "padding")
#: Of the network's input where the design does not say.
INPUT_WIDTH = 16


@dataclass(frozen=True)
class Types:
    """The types of a network that is quantised after its training, by the names of its layers."""

    weights: Mapping[str, FixedType]
    biases: Mapping[str, FixedType]
    results: Mapping[str, FixedType]


def types(model: Anatomy, values: Mapping[str, np.ndarray], precision: Precision) -> Types:
    """The types that a design asks for; integer bits that it leaves open are fitted.

    `values` holds what layers of the network give on training rows, the input among them. Weights get the integer bits with
    the smallest mean squared error; so do results and input where they saturate. Where these wrap they get as many as hold all
    values.
    """
    weights: dict[str, FixedType] = {}
    biases: dict[str, FixedType] = {}
    for name, layer in owners(model).items():
        width, integer = _number(precision.weight_width, name), _number(precision.weight_integer, name)
        assert width is not None
        for group, part in ((weights, "weight"), (biases, "bias")):
            array = model.network.weights.get(f"{layer.name}/{part}")
            if array is not None:
                bits = integer_bits(array, width, covering=False) if integer is None else integer
                group[layer.name] = FixedType(width, bits)
    modes = {"rounding": precision.rounding or "TRN", "saturation": precision.saturation or "WRAP"}
    covering = modes["saturation"] == "WRAP"
    first = model.network.layers[0].name
    asked = {first: (precision.input_width or INPUT_WIDTH, precision.input_integer)}
    for name, layer in model.computing.items():
        width = _number(precision.result_width, name)
        assert width is not None
        asked[layer.name] = (width, _number(precision.result_integer, name))
    results = {}
    for name, (width, integer) in asked.items():
        bits = integer_bits(values[name], width, covering=covering) if integer is None else integer
        results[name] = FixedType(width, bits, True, **modes)
    return Types(weights, biases, results)


def owners(model: Anatomy) -> dict[str, Layer]:
    """The layers with weights, by the names under which their knobs go: their own."""
    return {x.name: x for x in model.network.layers if f"{x.name}/weight" in model.network.weights}


def _number(knob: PerLayer | None, layer: str) -> int | None:
    return None if knob is None else knob.number(layer)


def convert_types(model: Anatomy, wanted: Types | None, hardware: Hardware, target: Target, folder: Path) -> Mapping[str, Any]:
    """Write the project and the network of a model with these types (None: those of its own quantisers) into `folder`.

    Weights are rounded to the nearest value of their type and saturate; hls4ml itself would cut them off. StageFailed
    ("unsupported") where hls4ml refuses the model, ("invalid") where it builds something else.
    """
    project = folder / "project"
    settings = {
        "output_dir": str(project),
        "project_name": convert.PROJECT,
        "part": target.name,
        "clock_period": target.clock_ns,
    }
    with anatomy.listening(model.file) as told, anatomy.refusing(told):
        config = _config(model, wanted, hardware)
        built = anatomy.graph(model.model, typed=wanted is None, config=config, hardware=hardware, settings=settings)
        if wanted is not None:
            _round(built, wanted)
        convert.set_depths(built, hardware.fifo_depth)
        built.write()
        network = extract.extract(built)
    convert.settle(project)
    _check(network, model, wanted, hardware)
    network.save(folder)
    if wanted is not None:
        ranges.save_float(folder, model.network.weights)
    return {"printed": [line for line in told.getvalue().splitlines() if "WARNING" in line]}


def _config(model: Anatomy, wanted: Types | None, hardware: Hardware) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {}
    for layer in model.network.multipliers:
        factor, strategy = hardware.reuse_factor.number(layer.name), str(hardware.strategy.of(layer.name))
        rows[layer.name] = {"ReuseFactor": factor, "Strategy": strategy, **convert.parallelism(layer.name, hardware)}
    if wanted is not None:
        for part, group in (("weight", wanted.weights), ("bias", wanted.biases), ("result", wanted.results)):
            for name, kind in group.items():
                key = "scale" if part == "weight" and model.network.layer(name).kind == "batchnorm" else part
                rows.setdefault(name, {}).setdefault("Precision", {})[key] = f"ap_{kind}"
        rows |= _passed(model, wanted)
    default = hardware.strategy.default
    return {"LayerName": rows, "Model": {"Strategy": str(default) if default is not None else "latency"}}


def _passed(model: Anatomy, wanted: Types) -> dict[str, dict[str, Any]]:
    """Layers that hls4ml takes out (Dropout) have the type of what they pass on: with another one they would stay, and cast."""
    gone = {layer.name for layer in model.model.layers if not layer.weights} - {layer.name for layer in model.network.layers}
    types = {name: wanted.results.get(giver) for name, giver in model.results.items() if name in gone}
    return {name: {"Precision": {"result": f"ap_{kind}"}} for name, kind in types.items() if kind is not None}


def _round(built: Any, wanted: Types) -> None:
    """Put the nearest values of their types into the weights."""
    for node in built.get_layers():
        for name, variable in node.weights.items():
            group = wanted.biases if name == "bias" else wanted.weights
            if node.name in group and name in ("weight", "scale", "bias"):
                nearest = replace(group[node.name], rounding="RND_CONV", saturation="SAT")
                variable.data = quantise(variable.data, nearest)
                variable.nonzeros = int(np.count_nonzero(variable.data))
                variable.nzeros = variable.data.size - variable.nonzeros


def _check(network: Network, model: Anatomy, wanted: Types | None, hardware: Hardware) -> None:
    """StageFailed("invalid") where what is built differs from what was asked: types or knobs."""
    layers = [", ".join(layer.name for layer in one.layers if layer.kind not in INSERTED) for one in (model.network, network)]
    convert.same("names", "layers", *layers)
    convert.check_hardware(network, hardware)
    if wanted is None:
        return
    for part, group in (("weight", wanted.weights), ("bias", wanted.biases), ("result", wanted.results)):
        for name, kind in group.items():
            found = getattr(network.layer(name), f"{part}_type")
            if found is None:
                raise StageFailed("invalid", f"layer {name}: {part} type {kind} was asked for, hls4ml builds none.")
            convert.same(name, f"{part} type", str(kind), str(found))
