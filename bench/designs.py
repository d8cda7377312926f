"""Published whole networks: from the words and numbers of a table's row to a `Network` that can be estimated.

Weights are drawn, since nobody publishes them: between normal and Laplace distributed with the spread of Glorot's
initialisation, quantised to the row's type, the smallest ones zero where the row states a sparsity.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dse.errors import DseError, UsageError
from dse.network import FixedType, Layer, Network
from dse.synth.estimate.cost import FIGURES
from dse.synth.estimate.fit import shipped
from dse.synth.estimate.layer import figures
from dse.synth.estimate.published import ASKED, SHAPE, number, tool_of
from dse.synth.estimate.whole import whole

Row = dict[str, str]
#: Architectures that tables mention by name alone.
KNOWN = {"jet mlp": [16, 64, 32, 32, 5]}
#: Trained weights spread a little wider than initial ones.
TRAINED = 1.25
#: Rounding and saturation of QKeras activations in hls4ml.
QUANTISED = ("RND_CONV", "SAT")
#: Where published data lie, Keras models of some networks among them.
SHARED = Path(os.environ.get("DSE_SHARED", Path(__file__).parents[2] / "shared"))
PRODUCTS = ("dense", "conv2d")
#: Added to the half-width for what a row does not state: the weights' sparsity where zeros cost nothing, the reuse factor.
UNKNOWN = float(np.log(2))


def estimate_design(row: Row, folder: Path) -> tuple[dict[str, float], dict[str, tuple[float, float]], str]:
    """Figures, intervals and "" - or nothing and the reason why there is no estimate."""
    if "wrapper" in (row.get("stage") or ""):
        return {}, {}, "the AXI wrapper around a network is not estimated"
    try:
        network = network_of(row, folder)
        fit = shipped()
        found = whole(network, tool_of(row), fit)
    except (DseError, ValueError) as error:
        return {}, {}, str(error)
    values = {name: getattr(found.cost, name) for name in FIGURES}
    latency = any(layer.strategy == "latency" for layer in network.layers)
    unknown = (number(row, "sparsity") is None and latency) + (not (row.get("reuse_factor") or "").strip())
    extra = UNKNOWN * unknown
    intervals = {name: fit.interval(name, value, found.scores[name] + extra) for name, value in values.items()}
    rounded = figures(found.cost)
    if row.get("stage") in ("vsynth", "routed"):
        rounded, intervals = {}, {}
        for name, (ratio, score) in fit.ratios["netlist"].items():
            rounded[name] = float(round(values[name] * ratio))
            intervals[name] = fit.interval(name, values[name] * ratio, score + found.scores[name])
    return rounded, intervals, ""


def network_of(row: Row, folder: Path) -> Network:
    """The network of one row; UsageError where its architecture is not stated."""
    for place in (folder, SHARED / "synthesis"):
        model = place / "kebl_cnn_stream" / "models" / f"{row['network']}_model.json"
        if model.is_file():
            return _built(row, _keras(json.loads(model.read_text())))
    convolutions = convolutions_of(row["network"])
    if convolutions:
        return _built(row, convolutions)
    sizes = sizes_of(row["network"])
    return _built(row, [Shape("input", (sizes[0],), {}), *(Shape("dense", (n,), {}) for n in sizes[1:])])


def sizes_of(text: str) -> list[int]:
    """Widths of a multilayer perceptron: `MLP 10-5-3-2`, `QDense 32->64`, or a name that is known."""
    found = re.search(r"\d+(?:\s*(?:-|->)\s*\d+)+", text)
    if found:
        return [int(n) for n in re.findall(r"\d+", found[0])]
    for name, sizes in KNOWN.items():
        if name in text.lower():
            return sizes
    raise UsageError(f"architecture not stated: {text!r}")


@dataclass(frozen=True)
class Shape:
    """One layer of an architecture: its kind, output shape and attributes."""

    kind: str
    size: tuple[int, ...]
    attributes: dict[str, int]


def convolutions_of(text: str) -> list[Shape]:
    """A LeNet told in words, `LeNet 28x28x1: conv 6@5x5, 16@5x5, FC120, FC84, 10`: each convolution is pooled by two."""
    entering = re.search(r"\b(\d+)x(\d+)x(\d+)\b", text)
    kernels = list(re.finditer(r"\b(\d+)@(\d+)x\d+", text))
    if "lenet" not in text.lower() or entering is None or not kernels:
        return []
    size = tuple(int(n) for n in entering.groups())
    shapes = [Shape("input", size, {})]
    for found in kernels:
        filters, k = int(found[1]), int(found[2])
        rows, columns = size[0] - k + 1, size[1] - k + 1
        shapes.append(Shape("conv2d", (rows, columns, filters), {"filt_height": k, "filt_width": k}))
        shapes.append(Shape("relu", (rows, columns, filters), {}))
        size = (rows // 2, columns // 2, filters)
        shapes.append(Shape("maxpool2d", size, {"pool_height": 2, "pool_width": 2}))
    shapes.append(Shape("reshape", (math.prod(size),), {}))
    widths = re.findall(r",\s*(?:FC\s*)?(\d+)\b(?!@)", text[kernels[-1].end() :])
    return [*shapes, *(Shape("dense", (int(n),), {}) for n in widths)]


def _keras(model: dict) -> list[Shape]:
    """The layers of a Keras model's JSON: convolutions, pooling, dense; batch norms are fused into what is before them."""
    shapes: list[Shape] = []
    for entry in model["config"]["layers"]:
        kind, config = entry["class_name"], entry["config"]
        if not shapes:
            shapes.append(Shape("input", tuple((config.get("batch_input_shape") or config["batch_shape"])[1:]), {}))
        size = shapes[-1].size
        if kind == "Conv2D":
            k = config["kernel_size"][0]
            pad = (k - 1) // 2 if config["padding"] == "same" else 0
            sides = dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), pad)
            rows, columns = (n + 2 * pad - k + 1 for n in size[:2])
            shapes.append(Shape("conv2d", (rows, columns, config["filters"]), {"filt_height": k, "filt_width": k, **sides}))
        elif kind == "MaxPooling2D":
            p = config["pool_size"][0]
            shapes.append(Shape("maxpool2d", (size[0] // p, size[1] // p, size[2]), {"pool_height": p, "pool_width": p}))
        elif kind in ("ReLU", "LeakyReLU", "Activation"):
            shapes.append(Shape("relu", size, {}))
        elif kind == "Flatten":
            shapes.append(Shape("reshape", (math.prod(size),), {}))
        elif kind == "Dense":
            shapes.append(Shape("dense", (config["units"],), {}))
        elif kind not in ("InputLayer", "BatchNormalization"):
            raise UsageError(f"layer {kind} of a model file is not known here")
    return shapes


@dataclass(frozen=True)
class Stated:
    """What a row says of every product sum of its network, one value per layer where it tells them apart."""

    inputs: FixedType
    weights: list[FixedType]
    activations: list[int]
    reuse: list[int]
    strategy: str
    sparsity: float | None

    @property
    def total(self) -> FixedType:
        """Accumulators and results: hls4ml's default, wider where the row's type is."""
        return FixedType(max(16, *(kind.width for kind in self.weights)), 6)


def _listed(row: Row, column: str, count: int) -> list[int] | None:
    """`7/7/7/6` or `7` as one number per layer; None where the cell is empty."""
    words = [word for word in re.split(r"[/;, ]+", (row.get(column) or "").strip()) if word]
    if not words or not all(re.fullmatch(r"\d+(\.\d+)?", word) for word in words):
        return None
    numbers = [int(float(word)) for word in words]
    return (numbers + [numbers[-1]] * count)[:count]


def _types(row: Row) -> tuple[FixedType | None, FixedType]:
    """Types of weights and inputs, from `w<2,1> x<16,6>`, `input ap_fixed<8,2>` or `ap_fixed<16,6>`; None: not stated."""
    text = row.get("precision") or ""
    weight = re.search(r"w<(\d+),(-?\d+)>", text)
    inputs = re.search(r"x<(\d+),(-?\d+)>", text) or re.search(r"input ap_u?fixed<(\d+),\s*(-?\d+)", text)
    plain = re.match(r"ap_fixed<(\d+),\s*(-?\d+)", text)
    weight, inputs = weight or plain, inputs or plain
    found = FixedType(int(weight[1]), int(weight[2])) if weight else None
    return found, FixedType(int(inputs[1]), int(inputs[2])) if inputs else FixedType(16, 6)


def _stated(row: Row, count: int) -> Stated:
    kind, inputs = _types(row)
    widths = _listed(row, "weight_bits", count) or [kind.width if kind else 16] * count
    strategy = (row.get("strategy") or "latency").lower()
    reuse = _listed(row, "reuse_factor", count)
    if reuse is None and strategy == "resource":
        raise UsageError("reuse factor not stated")
    asked = [ASKED.get((row.get("source", ""), r), r) if strategy == "latency" else r for r in reuse or [1] * count]
    return Stated(
        inputs=inputs,
        weights=[FixedType(width, kind.integer if kind else 1) for width in widths],
        activations=_listed(row, "act_bits", count) or widths,
        reuse=asked,
        strategy=strategy,
        sparsity=number(row, "sparsity"),
    )


def _built(row: Row, shapes: list[Shape]) -> Network:
    stated = _stated(row, sum(shape.kind in PRODUCTS for shape in shapes))
    layers: list[Layer] = []
    weights: dict[str, np.ndarray] = {}
    draw = np.random.default_rng(0)
    for shape, after in zip(shapes, [*shapes[1:], None], strict=True):
        turn = sum(layer.kind in PRODUCTS for layer in layers)
        if shape.kind not in PRODUCTS:
            layers.append(_plain(shape, layers, stated, max(turn - 1, 0)))
            continue
        layer = _product(shape, layers[-1], stated, turn)
        layers.append(layer)
        weights[f"{layer.name}/weight"] = _drawn(draw, layer, stated)
        weights[f"{layer.name}/bias"] = np.ones(layer.n_out)
        if after is not None and after.kind != "relu":
            layers.append(_plain(Shape("relu", shape.size, {}), layers, stated, turn))
    if len(stated.weights) > 1:
        last = layers[-1]
        layers.append(Layer("softmax", "softmax", (last.name,), last.output_shape, last.output_shape, FixedType(16, 6)))
    clock = number(row, "clock_target_ns")
    backend = "Vivado" if row.get("tool") == "Vivado HLS" else "Vitis"
    settings = (row.get("io_type") or "io_parallel", row.get("part") or "", 5.0 if clock is None else clock)
    return Network(tuple(layers), (layers[-1].name,), *settings, backend, "", weights)


def _plain(shape: Shape, layers: list[Layer], stated: Stated, turn: int) -> Layer:
    """A layer without weights after the last one of `layers`."""
    name, source = f"l{len(layers)}", (layers[-1].name,) if layers else ()
    entering = layers[-1].output_shape if layers else shape.size
    kind = layers[-1].result_type if layers else stated.inputs
    if shape.kind == "relu":
        bits = stated.activations[turn]
        kind = FixedType(16, 6) if bits >= 16 else FixedType(bits, 0, False, *QUANTISED)
    return Layer(name, shape.kind, source, entering, shape.size, kind, attributes=shape.attributes)


def _product(shape: Shape, before: Layer, stated: Stated, turn: int) -> Layer:
    entering, weight = before.output_shape, stated.weights[turn]
    attributes = {"n_in": entering[-1], "n_out": shape.size[-1], **shape.attributes}
    if shape.kind == "conv2d":
        k = shape.attributes["filt_height"]
        sizes = {"n_in": k * k * entering[-1], "positions": shape.size[0] * shape.size[1]}
        attributes |= {**sizes, "in_height": entering[0], "in_width": entering[1]}
    types = (stated.total, weight, weight, stated.total)
    where = (f"l{turn}w", shape.kind, (before.name,), entering, shape.size)
    return Layer(*where, *types, stated.strategy, stated.reuse[turn], attributes)


def _drawn(draw: np.random.Generator, layer: Layer, stated: Stated) -> np.ndarray:
    kind, size = layer.weight_type, (layer.n_in, layer.n_out)
    sizes = draw.gamma(1 / SHAPE, 1.0, size) ** (1 / SHAPE)
    values = sizes * draw.choice([-1.0, 1.0], size) * TRAINED * np.sqrt(2 / sum(size)) / np.sqrt((sizes**2).mean())
    found = np.clip(np.rint(values / kind.step), -(2 ** (kind.width - 1)), 2 ** (kind.width - 1) - 1)
    if stated.sparsity is not None and stated.sparsity > (found == 0).mean():
        limit = np.quantile(np.abs(values), stated.sparsity)
        found[np.abs(values) <= limit] = 0
        found[(np.abs(values) > limit) & (found == 0)] = 1
    return found * kind.step
