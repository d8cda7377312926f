"""Published whole networks: from the words and numbers of a table's row to a `Network` that can be estimated.

Weights are drawn, since nobody publishes them: between normal and Laplace distributed with the spread of Glorot's
initialisation, quantised to the row's type, the smallest ones zero where the row states a sparsity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.architectures import Shape, shapes_of
from dse.errors import DseError, UsageError
from dse.network import FixedType, Layer, Network
from dse.synth.estimate.cost import FIGURES
from dse.synth.estimate.fit import Fit, shipped
from dse.synth.estimate.layer import figures
from dse.synth.estimate.published import ASKED, SHAPE, number, tool_of
from dse.synth.estimate.whole import whole

Row = dict[str, str]
#: Trained weights spread a little wider than initial ones.
TRAINED = 1.25
#: Rounding and saturation of QKeras activations in hls4ml.
QUANTISED = ("RND_CONV", "SAT")
PRODUCTS = ("dense", "conv2d")
#: Added to the half-width where zeros cost nothing and the row does not state the weights' sparsity.
UNKNOWN = float(np.log(2))


def estimate_design(
    row: Row, folder: Path, fit: Fit | None = None
) -> tuple[dict[str, float], dict[str, tuple[float, float]], str]:
    """Figures, intervals and "" - or nothing and the reason why there is no estimate."""
    if "wrapper" in (row.get("stage") or ""):
        return {}, {}, "the AXI wrapper around a network is not estimated"
    try:
        network = network_of(row, folder)
        fit = fit or shipped()
        found = whole(network, tool_of(row), fit)
    except (DseError, ValueError) as error:
        return {}, {}, str(error)
    values = {name: getattr(found.cost, name) for name in FIGURES}
    latency = any(layer.strategy == "latency" for layer in network.layers)
    extra = UNKNOWN if latency and number(row, "sparsity") is None else 0.0
    intervals = {name: fit.interval(name, value, found.scores[name] + extra) for name, value in values.items()}
    rounded = figures(found.cost)
    if row.get("stage") in ("vsynth", "routed"):
        rounded, intervals = {}, {}
        for name, (ratio, score) in fit.ratios["netlist"].items():
            rounded[name] = float(round(values[name] * ratio))
            intervals[name] = fit.interval(name, values[name] * ratio, score + found.scores[name])
    return rounded, intervals, ""


def network_of(row: Row, folder: Path) -> Network:
    """The network of one row; UsageError where its architecture or its reuse factor is not stated."""
    return _built(row, shapes_of(row["network"], folder))


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
    if reuse is None:
        raise UsageError("reuse factor not stated")
    asked = [ASKED.get((row.get("source", ""), r), r) if strategy == "latency" else r for r in reuse]
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
