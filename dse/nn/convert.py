"""From the trained QKeras model to an hls4ml project and the plain `Network` that everything else reads."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dse import legacy_keras
from dse.design import Hardware, PerLayer, Scalar
from dse.errors import StageFailed
from dse.fixed import Quantizer
from dse.network import Network
from dse.nn import extract
from dse.nn.graph import INPUT_QUANTIZER, Quantizers

STAGE = "convert"
VERSION = 1
BACKEND = "Vitis"
#: Top function and project of every generated project.
PROJECT = "myproject"


def convert(model: Any, hardware: Hardware, part: str, clock_ns: float, folder: Path) -> Mapping[str, Any]:
    """Write the hls4ml project to `folder/project` and the network beside it; returns what hls4ml printed.

    `model` is a QKeras model that begins with a quantiser and ends in logits, converted bit-exactly. StageFailed
    ("unsupported") where hls4ml refuses it.
    """
    project = folder / "project"
    told = io.StringIO()
    with _listening(told):
        converted = _converted(model, hardware, part, clock_ns, project)
        converted.write()
    settle(project)
    network = _extracted(model, converted, hardware, part, clock_ns)
    network.save(folder)
    return {"printed": [line for line in told.getvalue().splitlines() if "WARNING" in line]}


def foresee(model: Any, hardware: Hardware, part: str, clock_ns: float) -> Network:
    """The network that `convert` will make of this model, from hls4ml's own passes, without a project.

    `model` may be a blueprint. Writing the project and compiling it cost a hundred times as much; a design that reaches the
    front is converted all the same, and what comes out must be this. StageFailed like `convert`.
    """
    with _listening(io.StringIO()):
        converted = _converted(model, hardware, part, clock_ns, Path(PROJECT))
    return _extracted(model, converted, hardware, part, clock_ns)


@contextlib.contextmanager
def _listening(told: io.StringIO) -> Iterator[None]:
    """Keep what hls4ml prints; whatever it raises is StageFailed("unsupported")."""
    with contextlib.redirect_stdout(told), legacy_keras.keras_is_tf_keras():
        try:
            yield
        except StageFailed:
            raise
        except Exception as error:  # hls4ml raises bare Exceptions
            raise StageFailed("unsupported", f"hls4ml: {type(error).__name__}: {error}", told.getvalue()) from error


def _converted(model: Any, hardware: Hardware, part: str, clock_ns: float, project: Path) -> Any:
    """hls4ml's graph of the model after its optimisers have run; nothing is written."""
    import hls4ml

    converted = hls4ml.converters.convert_from_keras_model(
        model,
        hls_config=_config(hls4ml, model, hardware),
        backend=BACKEND,
        io_type=hardware.io_type,
        output_dir=str(project),
        project_name=PROJECT,
        part=part,
        clock_period=clock_ns,
        bit_exact=True,
    )
    set_depths(converted, hardware.fifo_depth)
    return converted


def set_depths(converted: Any, depths: PerLayer | None) -> None:
    """Set how much the streams hold, where hls4ml's own optimisation of FIFO depths sets it; it has no configuration for it."""
    if depths is None:
        return
    ports = (*converted.get_input_variables(), *converted.get_output_variables())
    for node in converted.get_layers():
        depth = _depth_of(depths, node.name)
        for variable in node.get_variables():
            stream = isinstance(variable.pragma, tuple) and variable.pragma[0] == "stream"
            if depth is not None and stream and variable not in ports:
                variable.pragma = ("stream", depth)


def _depth_of(depths: PerLayer, name: str) -> int | None:
    """The depth asked for the streams of a layer, of its activation and of their copies for branches; None where none is."""
    named = dict(depths.overrides)
    own = name.removeprefix("clone_")
    layer = own if own in named else own.removesuffix("_relu")
    return depths.number(layer) if layer in named or depths.default is not None else None


def _extracted(model: Any, converted: Any, hardware: Hardware, part: str, clock_ns: float) -> Network:
    """The graph as a `Network`; StageFailed("invalid") where it is not what was asked for as a whole."""
    twin = None
    if extract.ADDERS in (hardware.strategy.default, *dict(hardware.strategy.overrides).values()):
        plain = replace(hardware, strategy=PerLayer("latency"))
        with _listening(io.StringIO()):
            twin = _converted(model, plain, part, clock_ns, Path(PROJECT))
    network = extract.extract(converted, twin)
    for what, asked, built in (
        ("IO type", hardware.io_type, network.io_type),
        ("part", part, network.part),
        ("clock period", clock_ns, network.clock_ns),
    ):
        same("of the whole network", what, asked, built)
    return network


def _config(hls4ml: Any, model: Any, hardware: Hardware) -> dict[str, Any]:
    """hls4ml's configuration: types from the QKeras quantisers, reuse factor and strategy per layer."""
    config: dict[str, Any] = hls4ml.utils.config_from_keras_model(model, granularity="name", backend=BACKEND)
    weighted = {layer.name for layer in model.layers if layer.weights}
    reuse = hardware.reuse_factor
    for name, row in config["LayerName"].items():
        known = name in weighted or reuse.default is not None
        row["ReuseFactor"] = reuse.number(name) if known else 1
        if name in weighted:
            row["Strategy"] = str(hardware.strategy.of(name))
        row.update(parallelism(name, hardware))
    config["Model"]["ReuseFactor"] = 1 if reuse.default is None else int(reuse.number(""))
    default = hardware.strategy.default
    config["Model"]["Strategy"] = str(default) if default is not None else "latency"
    return config


def parallelism(layer: str, hardware: Hardware) -> dict[str, int]:
    """hls4ml's setting of how many pixels a convolution computes at once; nothing where the design does not say."""
    pixels = hardware.parallelization_factor
    known = pixels is not None and (pixels.default is not None or layer in dict(pixels.overrides))
    return {"ParallelizationFactor": pixels.number(layer)} if pixels is not None and known else {}


def settle(project: Path) -> None:
    """Leave nothing that depends on where the project was written, nor what nobody reads."""
    (project / "keras_model.keras").unlink(missing_ok=True)
    config = project / "hls4ml_config.yml"
    text = re.sub(r"^OutputDir: .*$", "OutputDir: .", config.read_text(), flags=re.MULTILINE)
    config.write_text(re.sub(r"^KerasModel: .*\n", "", text, flags=re.MULTILINE))


def effective(network: Network) -> dict[str, Scalar]:
    """What will be built, flat: IO type, part, clock, and per layer the reuse factor, strategy and types."""
    found: dict[str, Scalar] = {"io_type": network.io_type, "part": network.part, "clock_ns": network.clock_ns}
    for layer in network.layers:
        if layer.reuse_factor is not None:
            found[f"reuse_factor.{layer.name}"] = layer.reuse_factor
            found[f"strategy.{layer.name}"] = layer.strategy
        for name in ("parallelization_factor", "fifo_depth"):
            if name in layer.attributes:
                found[f"{name}.{layer.name}"] = layer.attributes[name]
        for name in ("weight_type", "bias_type", "accumulator_type", "result_type"):
            value = getattr(layer, name)
            if value is not None:
                found[f"{name}.{layer.name}"] = str(value)
    return found


def check(network: Network, hardware: Hardware, quantizers: Quantizers, asked: Mapping[str, list[np.ndarray]]) -> None:
    """StageFailed("invalid") where what is built differs from what was asked: knobs, activation types or weights.

    `asked` holds QKeras' own quantised weights per layer (kernel, bias). hls4ml narrows weight types to the values, so the
    values themselves are compared, and that a type is not wider than asked.
    """
    check_hardware(network, hardware)
    for layer in network.multipliers:
        for name, array in zip(("weight", "bias"), asked[layer.name], strict=False):
            if not np.array_equal(network.weights[f"{layer.name}/{name}"].reshape(array.shape), array):
                raise StageFailed("invalid", f"layer {layer.name}: hls4ml changed the quantised {name} values.")
        assert layer.weight_type is not None
        if layer.weight_type.width > quantizers.weights[layer.name].bits:
            same(layer.name, "weight bits", quantizers.weights[layer.name].bits, layer.weight_type.width)
    built = {layer.name: layer for layer in network.layers if layer not in network.multipliers}
    first = next(layer for layer in network.layers if layer.kind == "input")
    for name, quantizer in quantizers.activations.items():
        layer = first if name == INPUT_QUANTIZER else built.get(name) or built[f"{name}_relu"]
        same(layer.name, "result type", str(quantizer.type), str(layer.result_type))


def check_hardware(network: Network, hardware: Hardware) -> None:
    """StageFailed("invalid") where the knobs of the hardware are not built as asked."""
    for layer in network.multipliers:
        same(layer.name, "reuse_factor", hardware.reuse_factor.of(layer.name), layer.reuse_factor)
        same(layer.name, "strategy", hardware.strategy.of(layer.name), layer.strategy)
        pixels = hardware.parallelization_factor
        if pixels is not None and layer.kind in ("conv1d", "conv2d"):
            same(layer.name, "parallelization_factor", pixels.of(layer.name), layer.attributes["parallelization_factor"])
    depths = hardware.fifo_depth
    if depths is None:
        return
    for layer in network.layers:
        asked = _depth_of(depths, layer.name)
        if asked is not None and layer.kind not in ("input", "reshape") and layer.name not in network.outputs:
            same(layer.name, "fifo_depth", asked, extract.fifo_depth(layer))


def same(layer: str, what: str, asked: Any, built: Any) -> None:
    """StageFailed("invalid") where hls4ml builds something else than what was asked for."""
    if asked != built:
        raise StageFailed("invalid", f"layer {layer}: {what} {asked} was asked for, hls4ml builds {built}.")


def quantised_weights(model: Any, quantizers: Quantizers) -> dict[str, list[np.ndarray]]:
    """The weights and biases of each layer as QKeras' forward pass uses them."""
    found = {}
    for name, quantizer in quantizers.weights.items():
        arrays = model.get_layer(name).get_weights()
        pairs: list[tuple[np.ndarray, Quantizer]] = [(arrays[0], quantizer)]
        if name in quantizers.biases:
            pairs.append((arrays[1], quantizers.biases[name]))
        found[name] = [q.values(array) for array, q in pairs]
    return found
