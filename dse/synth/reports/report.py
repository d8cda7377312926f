"""What a vendor report states: figures with the place they stand at, and a row per module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

#: Figures of a report and their units. `wns_ns` and `tns_ns` are setup slacks; block RAM is counted in 18-kbit blocks always.
UNITS: Mapping[str, str] = MappingProxyType(
    {
        "clock_target_ns": "ns",
        "clock_estimated_ns": "ns",
        "latency_min": "cycles",
        "latency_max": "cycles",
        "interval_min": "cycles",
        "interval_max": "cycles",
        "bram_18k": "18-kbit blocks",
        "dsp": "blocks",
        "ff": "FF",
        "lut": "LUT",
        "uram": "blocks",
        "wns_ns": "ns",
        "tns_ns": "ns",
        "power_w": "W",
    }
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; `value` is None where the report says that it is unknown (`?`, `undef`, `-`, `NA`).

    `where` names the section, `line` the line it stands in (from 1; None in XML, where the section is the element's path).
    """

    name: str
    value: float | None
    where: str
    line: int | None = None

    def __post_init__(self) -> None:
        if self.name not in UNITS:
            raise ValueError(f"{self.name!r} is not a figure of a report; known: {', '.join(UNITS)}.")

    @property
    def unit(self) -> str:
        """The figure's unit."""
        return UNITS[self.name]


@dataclass(frozen=True, slots=True)
class Module:
    """What one instance inside the design costs; `depth` is 0 for the design itself where the report is a hierarchy."""

    instance: str
    module: str
    values: Mapping[str, float | None]
    depth: int = 1

    def as_json(self) -> dict[str, Any]:
        """Flat plain values."""
        return {"instance": self.instance, "module": self.module, "depth": self.depth, **self.values}


@dataclass(frozen=True)
class Report:
    """One report file.

    `kind` says what kind of report it is; `tool`, `version` and `part` are as printed, "" where the file does not say.
    `state` is how far the design was when the report was written (`Synthesized`, `Routed`), or how a co-simulation ended.
    """

    file: str
    kind: str
    tool: str
    version: str
    part: str
    top: str
    figures: Mapping[str, Figure]
    modules: tuple[Module, ...] = ()
    state: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str) -> float | None:
        """The figure's value; None where the report does not state it or says that it is unknown."""
        figure = self.figures.get(name)
        return None if figure is None else figure.value

    def as_json(self) -> dict[str, Any]:
        """Flat plain values: every figure of `UNITS`, None where not stated; `where` says in which section and line."""
        return {
            "file": self.file,
            "kind": self.kind,
            "tool": self.tool,
            "version": self.version,
            "part": self.part,
            "top": self.top,
            "state": self.state,
            **{name: self.value(name) for name in UNITS},
            "modules": [module.as_json() for module in self.modules],
            "where": {f.name: f.where if f.line is None else f"{f.where}, line {f.line}" for f in self.figures.values()},
            **({"notes": dict(self.notes)} if self.notes else {}),
        }


def figures(found: Iterable[Figure]) -> Mapping[str, Figure]:
    """By name, in the order of `UNITS`."""
    by_name = {figure.name: figure for figure in found}
    return MappingProxyType({name: by_name[name] for name in UNITS if name in by_name})
