"""A design: one choice for every knob, grouped by what the knobs change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

Scalar = bool | int | float | str
#: The key that stands for all layers that are not named.
EVERY = "*"

STRATEGIES = ("latency", "resource", "resource_unrolled", "distributed_arithmetic")
IO_TYPES = ("io_parallel", "io_stream")


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

    `input_bits` is the width of the quantiser at the network's input. Integer bits are not knobs: the compression chooses
    them per layer to fit the float model's weights and activations, and the record's effective types show them.
    """

    weight_bits: PerLayer
    activation_bits: PerLayer
    sparsity: PerLayer = field(default_factory=lambda: PerLayer(0.0))
    input_bits: int = 16

    def __post_init__(self) -> None:
        """0 and 0.0 are the same sparsity and must give the same JSON."""
        default = None if self.sparsity.default is None else float(self.sparsity.default)
        overrides = tuple((name, float(value)) for name, value in self.sparsity.overrides)
        object.__setattr__(self, "sparsity", PerLayer(default, overrides))


@dataclass(frozen=True, slots=True)
class Hardware:
    """Knobs that change what is generated and nothing that is computed. `clock_ns` None: the study's target clock."""

    reuse_factor: PerLayer = field(default_factory=lambda: PerLayer(1))
    strategy: PerLayer = field(default_factory=lambda: PerLayer("latency"))
    io_type: str = "io_parallel"
    clock_ns: float | None = None

    def __post_init__(self) -> None:
        if self.clock_ns is not None:
            object.__setattr__(self, "clock_ns", float(self.clock_ns))


#: Knobs that can have a value per layer.
PER_LAYER = ("weight_bits", "activation_bits", "sparsity", "reuse_factor", "strategy")
COMPRESSION_KNOBS = tuple(f.name for f in fields(Compression))
HARDWARE_KNOBS = tuple(f.name for f in fields(Hardware))
#: Prefix of architecture knobs in flat parameter names.
ARCHITECTURE = "architecture"


@dataclass(frozen=True, slots=True)
class Design:
    """One point of the design space; `architecture` holds the knobs of the study's own model function, sorted by name."""

    architecture: tuple[tuple[str, Scalar], ...]
    compression: Compression
    hardware: Hardware

    def as_json(self) -> dict[str, Any]:
        """Nested plain values; equal designs give equal JSON."""
        return {
            "architecture": dict(self.architecture),
            "compression": _plain(self.compression),
            "hardware": _plain(self.hardware),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Design:
        """The inverse of `as_json`; KeyError, TypeError, ValueError or AttributeError where `found` is not one."""
        return cls(
            tuple(sorted((name, canonical(value)) for name, value in found["architecture"].items())),
            Compression(**_rich(found["compression"])),
            Hardware(**_rich(found["hardware"])),
        )

    @property
    def digest(self) -> str:
        """16 hex digits; equal for equal designs."""
        text = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def knobs(self) -> dict[str, Scalar]:
        """Every knob flat: `weight_bits`, `weight_bits.fc1`, `architecture.width`; None is left out."""
        found: dict[str, Scalar] = {f"{ARCHITECTURE}.{name}": value for name, value in self.architecture}
        for group in (self.compression, self.hardware):
            for f in fields(group):
                value = getattr(group, f.name)
                if isinstance(value, PerLayer):
                    if value.default is not None:
                        found[f.name] = value.default
                    found |= {f"{f.name}.{layer}": choice for layer, choice in value.overrides}
                elif value is not None:
                    found[f.name] = value
        return found


def _plain(group: Compression | Hardware) -> dict[str, Any]:
    values = {f.name: getattr(group, f.name) for f in fields(group)}
    return {name: value.as_json() if isinstance(value, PerLayer) else value for name, value in values.items()}


def _rich(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: per_layer(value) if name in PER_LAYER else value for name, value in group.items()}


def build(parameters: Mapping[str, Scalar]) -> Design:
    """A design from flat parameters: `weight_bits`, `weight_bits.fc1`, `architecture.width`, ...

    The inverse of `Design.knobs`; ValueError for a name that is no knob, TypeError where a required knob is missing.
    """
    architecture: dict[str, Scalar] = {}
    groups: dict[str, dict[str, Scalar]] = {}
    for name, value in parameters.items():
        knob, _, layer = name.partition(".")
        if knob == ARCHITECTURE and layer:
            architecture[layer] = canonical(value)
        elif knob in PER_LAYER:
            groups.setdefault(knob, {})[layer or EVERY] = value
        elif not layer and knob in COMPRESSION_KNOBS + HARDWARE_KNOBS:
            groups.setdefault(knob, {})[EVERY] = canonical(value)
        else:
            raise ValueError(f"{name!r} is not a knob; known: {', '.join(COMPRESSION_KNOBS + HARDWARE_KNOBS)}.")
    values: dict[str, Any] = {k: per_layer(v) if k in PER_LAYER else v[EVERY] for k, v in groups.items()}
    return Design(
        tuple(sorted(architecture.items())),
        Compression(**{k: v for k, v in values.items() if k in COMPRESSION_KNOBS}),
        Hardware(**{k: v for k, v in values.items() if k in HARDWARE_KNOBS}),
    )
