"""What is known of one design: every figure with its source, or a typed failure. One JSON line each way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dse.design import Design, Scalar
from dse.errors import FAILURE_KINDS, PASSING, StoreError
from dse.metrics import Judge, Measurement

#: Version of the JSON form; older versions are read, newer ones refused.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a design has no figures. `log` is a path relative to the root, or the end of what the tool printed."""

    stage: str
    kind: str
    message: str
    log: str = ""

    def __post_init__(self) -> None:
        if self.kind not in FAILURE_KINDS:
            raise ValueError(f"kind must be one of {FAILURE_KINDS}, got {self.kind!r}.")

    @property
    def passing(self) -> bool:
        """True where the machine failed and not the design."""
        return self.kind in PASSING


@dataclass(frozen=True)
class Record:
    """One trial's final word.

    `effective` is what was built, flat like `Design.knobs` plus types per layer; `entries` maps each stage to its store key;
    `seconds` says how long each stage took in this trial; `pruned` names the limit that made going on hopeless, if any.
    """

    trial: int
    design: Design
    effective: Mapping[str, Scalar] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()
    failure: Failure | None = None
    pruned: str = ""
    entries: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    finished: str = ""

    def measurement(self, metric: str, judge: Judge | None = None) -> Measurement | None:
        """The last measurement that states `metric`: of `judge` for hardware figures where a judge is given."""
        for found in reversed(self.measurements):
            if metric in found.values and (judge is None or found.judge is None or found.judge == judge):
                return found
        return None

    def value(self, metric: str, judge: Judge | None = None) -> float | None:
        """The figure, or None where nobody has stated it; never a stand-in."""
        found = self.measurement(metric, judge)
        return None if found is None else found.values[metric]

    @property
    def judges(self) -> tuple[Judge, ...]:
        """Who has stated hardware figures of this design, in order."""
        return tuple(dict.fromkeys(m.judge for m in self.measurements if m.judge is not None))

    def plus(self, measurements: Iterable[Measurement] = (), failure: Failure | None = None) -> Record:
        """This record with figures or a failure that were found later."""
        return replace(self, measurements=(*self.measurements, *measurements), failure=failure or self.failure)

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the format's version."""
        return {
            "v": FORMAT,
            "kind": "record",
            "trial": self.trial,
            "digest": self.design.digest,
            "design": self.design.as_json(),
            "knobs": self.design.knobs,
            "effective": dict(self.effective),
            "measurements": [m.as_json() for m in self.measurements],
            "failure": None if self.failure is None else asdict(self.failure),
            "pruned": self.pruned,
            "entries": dict(self.entries),
            "seconds": {stage: round(s, 4) for stage, s in self.seconds.items()},
            "finished": self.finished,
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Record:
        """The inverse of `as_json`; StoreError where `found` is not a record of a known version."""
        if found.get("v") != FORMAT:
            raise StoreError(
                f"record of format {found.get('v')!r}; this version of dse reads {FORMAT}. Use the dse that wrote it."
            )
        try:
            return cls(
                trial=int(found["trial"]),
                design=Design.from_json(found["design"]),
                effective=found["effective"],
                measurements=tuple(Measurement.from_json(m) for m in found["measurements"]),
                failure=None if found["failure"] is None else Failure(**found["failure"]),
                pruned=found["pruned"],
                entries=found["entries"],
                seconds=found["seconds"],
                finished=found["finished"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"record of trial {found.get('trial')!r} cannot be read: {error!r}.") from error
