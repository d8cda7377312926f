"""A design: one choice for every knob of `dse.knobs`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from dse.knobs import (
    ARCHITECTURE,
    COMPRESSION_KNOBS,
    EVERY,
    HARDWARE_KNOBS,
    IO_TYPES,
    KNOBS,
    LACKING,
    PER_LAYER,
    PRECISION_KNOBS,
    STRATEGIES,
    TERNARY,
    UNSET,
    WEIGHTED_KNOBS,
    Compression,
    Hardware,
    PerLayer,
    Precision,
    Scalar,
    canonical,
    per_layer,
)

__all__ = [
    "ARCHITECTURE",
    "COMPRESSION_KNOBS",
    "EVERY",
    "HARDWARE_KNOBS",
    "IO_TYPES",
    "KNOBS",
    "PER_LAYER",
    "PRECISION_KNOBS",
    "STRATEGIES",
    "TERNARY",
    "UNSET",
    "WEIGHTED_KNOBS",
    "Compression",
    "Design",
    "Hardware",
    "PerLayer",
    "Precision",
    "Scalar",
    "build",
    "canonical",
    "per_layer",
]


@dataclass(frozen=True, slots=True)
class Design:
    """One point of the design space; `architecture` holds the knobs of the study's own model function, sorted by name.

    Of `compression` (what is trained for it) and `precision` (what is quantised after its training) those are None that the
    study's kind of workload does not have.
    """

    architecture: tuple[tuple[str, Scalar], ...]
    compression: Compression | None
    hardware: Hardware
    precision: Precision | None = None

    def as_json(self) -> dict[str, Any]:
        """Nested plain values; equal designs give equal JSON."""
        groups = {name: _plain(group) for name, group in self.groups.items()}
        return {"architecture": dict(self.architecture), **groups}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Design:
        """The inverse of `as_json`; KeyError, TypeError, ValueError or AttributeError where `found` is not one."""
        return cls(
            tuple(sorted((name, canonical(value)) for name, value in found["architecture"].items())),
            Compression(**_rich(found["compression"])) if "compression" in found else None,
            Hardware(**{**LACKING, **_rich(found["hardware"])}),
            Precision(**_rich(found["precision"])) if "precision" in found else None,
        )

    @property
    def groups(self) -> dict[str, Compression | Precision | Hardware]:
        """The groups of knobs that this design has, by name."""
        found = {"compression": self.compression, "precision": self.precision, "hardware": self.hardware}
        return {name: group for name, group in found.items() if group is not None}

    @property
    def digest(self) -> str:
        """16 hex digits; equal for equal designs."""
        text = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def knob(self, name: str) -> Any:
        """The value of one knob; None where this design has none."""
        for group in self.groups.values():
            if hasattr(group, name):
                return getattr(group, name)
        return None

    @property
    def knobs(self) -> dict[str, Scalar]:
        """Every knob flat: `weight_bits`, `weight_bits.fc1`, `architecture.width`; those without a value are left out."""
        found: dict[str, Scalar] = {f"{ARCHITECTURE}.{name}": value for name, value in self.architecture}
        for group in self.groups.values():
            for f in fields(group):
                value = getattr(group, f.name)
                if isinstance(value, PerLayer):
                    if value.default is not None:
                        found[f.name] = value.default
                    found |= {f"{f.name}.{layer}": choice for layer, choice in value.overrides}
                elif value not in (None, ""):
                    found[f.name] = value
        return found


def _plain(group: Compression | Precision | Hardware) -> dict[str, Any]:
    """A group's values; those that are missing are left out, but for the clock, which has always been written."""
    values = {f.name: getattr(group, f.name) for f in fields(group)}
    return {
        name: value.as_json() if isinstance(value, PerLayer) else value
        for name, value in values.items()
        if value not in (None, UNSET, "") or name == "clock_ns"
    }


def _rich(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: per_layer(value) if name in PER_LAYER else value for name, value in group.items()}


def build(parameters: Mapping[str, Scalar | None]) -> Design:
    """A design from flat parameters: `weight_bits`, `weight_bits.fc1`, `architecture.width`, ...

    The inverse of `Design.knobs`. A network's hardware knobs that are not named have their defaults; None says that the design
    has no such knob. ValueError for a name that is no knob, TypeError where a required knob is missing.
    """
    architecture: dict[str, Scalar] = {}
    values: dict[str, dict[str, Scalar]] = {}
    lacking = {name: LACKING.get(name) for name, value in parameters.items() if value is None}
    for name, value in parameters.items():
        if value is None:
            continue
        knob, _, layer = name.partition(".")
        if knob == ARCHITECTURE and layer:
            architecture[layer] = canonical(value)
        elif knob in PER_LAYER:
            values.setdefault(knob, {})[layer or EVERY] = value
        elif not layer and knob in KNOBS:
            values.setdefault(knob, {})[EVERY] = canonical(value)
        else:
            raise ValueError(f"{name!r} is not a knob; known: {', '.join(KNOBS)}.")
    chosen: dict[str, Any] = {k: per_layer(v) if k in PER_LAYER else v[EVERY] for k, v in values.items()}
    compression, precision, hardware = (
        {k: v for k, v in chosen.items() if k in names} for names in (COMPRESSION_KNOBS, PRECISION_KNOBS, HARDWARE_KNOBS)
    )
    return Design(
        tuple(sorted(architecture.items())),
        Compression(**compression) if compression else None,
        Hardware(**{**{k: v for k, v in lacking.items() if k in LACKING}, **hardware}),
        Precision(**precision) if precision else None,
    )
