"""The knobs that designs have, grouped by what they change.

Each kind of workload has knobs of its own (`dse.workload.Problem` says which). A new knob is a field of one group with the
default None, a field of `Space` and a rule in `dse.domains`; what a design has no value for is left out of its JSON, so that
designs made before the knob keep their digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

Scalar = bool | int | float | str
#: The key that stands for all layers that are not named.
EVERY = "*"

STRATEGIES = ("latency", "resource", "resource_unrolled", "distributed_arithmetic")
IO_TYPES = ("io_parallel", "io_stream")
#: Among the weight bits: weights of -1, 0 and 1. They take two bits and are other values than those of two bits, so no number.
TERNARY = "ternary"


def canonical(value: Scalar) -> Scalar:
    """The same number for numbers that are meant to be the same: 0.30000000000000004 is 0.3, and -0.0 is 0.0."""
    return float(f"{value:.12g}") + 0.0 if isinstance(value, float) else value


@dataclass(frozen=True, slots=True)
class PerLayer:
    """A knob's value for every layer: `default` where a layer is not named in `overrides`."""

    default: Scalar | None = None
    overrides: tuple[tuple[str, Scalar], ...] = ()

    def of(self, layer: str) -> Scalar:
        """The value for one layer; KeyError where the layer is not named and there is no default."""
        for name, value in self.overrides:
            if name == layer:
                return value
        if self.default is None:
            raise KeyError(layer)
        return self.default

    def number(self, layer: str) -> int:
        """The value for one layer as a whole number; TypeError where it is text."""
        value = self.of(layer)
        if isinstance(value, str):
            raise TypeError(f"{value!r} is not a number.")
        return int(value)

    @property
    def values(self) -> tuple[Scalar, ...]:
        """All values that occur, the default first."""
        first = () if self.default is None else (self.default,)
        return (*first, *(value for _, value in self.overrides))

    def as_json(self) -> Scalar | dict[str, Scalar]:
        """The bare value where it is the same for all layers, else a mapping with "*" for the default."""
        if not self.overrides and self.default is not None:
            return self.default
        every = {} if self.default is None else {EVERY: self.default}
        return {**every, **dict(self.overrides)}


#: Of a knob that a design does not have.
UNSET = PerLayer()


def per_layer(value: PerLayer | Scalar | Mapping[str, Scalar]) -> PerLayer:
    """Accept a bare value, a mapping by layer name ("*": all others) or a PerLayer, and bring it to its canonical form."""
    if isinstance(value, PerLayer):
        value = {**({} if value.default is None else {EVERY: value.default}), **dict(value.overrides)}
    if not isinstance(value, Mapping):
        return PerLayer(canonical(value))
    found = {name: canonical(choice) for name, choice in value.items()}
    default = found.pop(EVERY, None)
    if default is None and not found:
        raise ValueError("a per-layer knob needs a value for at least one layer.")
    return PerLayer(default, tuple(sorted((name, choice) for name, choice in found.items() if choice != default)))


@dataclass(frozen=True, slots=True)
class Compression:
    """Knobs that change the trained weights, per layer or for all: bit widths and the share of pruned weights.

    Biases have the width of their layer's weights, and eight bits beside ternary weights. `input_bits` is the width of the
    quantiser at the network's input. `learning_rate` is that of the fine-tuning; None: the study's training says. Integer bits
    are not knobs: the compression chooses them per layer to fit the float model's weights and activations, and the record's
    effective types show them.
    """

    weight_bits: PerLayer
    activation_bits: PerLayer
    sparsity: PerLayer = field(default_factory=lambda: PerLayer(0.0))
    input_bits: int = 16
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        """0 and 0.0 are the same sparsity and must give the same JSON."""
        if self.learning_rate is not None:
            object.__setattr__(self, "learning_rate", float(self.learning_rate))
        default = None if self.sparsity.default is None else float(self.sparsity.default)
        overrides = tuple((name, float(value)) for name, value in self.sparsity.overrides)
        object.__setattr__(self, "sparsity", PerLayer(default, overrides))


@dataclass(frozen=True, slots=True)
class Precision:
    """Knobs of what is quantised after its training: `ap_fixed<width, integer>`, where `integer` counts the sign bit.

    Widths and integer bits are those of weights (and biases), of each layer's results and of the network's input. Integer bits
    that are None are fitted to the weights, or to what the training rows give; the record's effective types show them.
    `rounding` and `saturation` are the modes of results and input, as `FixedType` names them.
    """

    weight_width: PerLayer | None = None
    weight_integer: PerLayer | None = None
    result_width: PerLayer | None = None
    result_integer: PerLayer | None = None
    input_width: int | None = None
    input_integer: int | None = None
    rounding: str | None = None
    saturation: str | None = None


@dataclass(frozen=True, slots=True)
class Hardware:
    """Knobs that change what is generated and nothing that is computed. `clock_ns` None: the study's target clock.

    `parallelization_factor`: pixels that a convolution computes at once in io_parallel. `fifo_depth`: values that the streams
    which leave a layer (and its activation) hold in io_stream; None is hls4ml's own choice, a whole output. A design
    without layers of its own has no reuse factor and strategy (UNSET) and no IO type ("").
    """

    reuse_factor: PerLayer = field(default_factory=lambda: PerLayer(1))
    strategy: PerLayer = field(default_factory=lambda: PerLayer("latency"))
    io_type: str = "io_parallel"
    clock_ns: float | None = None
    parallelization_factor: PerLayer | None = None
    fifo_depth: PerLayer | None = None

    def __post_init__(self) -> None:
        if self.clock_ns is not None:
            object.__setattr__(self, "clock_ns", float(self.clock_ns))


#: Knobs that can have a value per layer.
PER_LAYER = (
    "weight_bits", "activation_bits", "sparsity", "reuse_factor", "strategy",
    "weight_width", "weight_integer", "result_width", "result_integer", "parallelization_factor", "fifo_depth",
)  # fmt: skip
#: Those of layers with weights; the others belong to activations.
WEIGHTED_KNOBS = ("weight_bits", "sparsity", "reuse_factor", "strategy", "weight_width", "weight_integer")
COMPRESSION_KNOBS = tuple(f.name for f in fields(Compression))
PRECISION_KNOBS = tuple(f.name for f in fields(Precision))
HARDWARE_KNOBS = tuple(f.name for f in fields(Hardware))
KNOBS = (*COMPRESSION_KNOBS, *PRECISION_KNOBS, *HARDWARE_KNOBS)
#: Hardware knobs that a design may lack.
LACKING: Mapping[str, Any] = {"reuse_factor": UNSET, "strategy": UNSET, "io_type": ""}
#: Prefix of architecture knobs in flat parameter names.
ARCHITECTURE = "architecture"
