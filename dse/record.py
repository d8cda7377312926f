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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A judge that has no figures of a design, and why: its tool failed. The figures of others stand."""

    judge: Judge
    failure: Failure
    #: of the store's entry that holds the evidence
    key: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"judge": asdict(self.judge), "failure": asdict(self.failure), "key": self.key}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Refusal:
        """The inverse of `as_json`; KeyError, TypeError or ValueError where `found` is not one."""
        return cls(Judge(**found["judge"]), Failure(**found["failure"]), str(found["key"]))


@dataclass(frozen=True)
class Record:
    """One trial's final word.

    `effective` is what was built, flat like `Design.knobs` plus types per layer; `entries` maps each stage to its store key;
    `seconds` says how long each stage took in this trial; `pruned` names the limit that made going on hopeless, if any;
    `refusals` holds the last word of each judge that was asked later and failed.
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
    refusals: tuple[Refusal, ...] = ()

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
        """This record with figures or a failure that were found later; who states figures refuses no more."""
        found = tuple(measurements)
        open_ones = tuple(r for r in self.refusals if r.judge not in {m.judge for m in found})
        every = (*self.measurements, *found)
        return replace(self, measurements=every, failure=failure or self.failure, refusals=open_ones)

    def refused(self, refusal: Refusal) -> Record:
        """This record with a judge's refusal, in the place of an earlier one of the same judge."""
        others = (r for r in self.refusals if r.judge != refusal.judge)
        return replace(self, refusals=(*others, refusal))

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the format's version."""
        row = {
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
        return row | ({"refusals": [refusal.as_json() for refusal in self.refusals]} if self.refusals else {})

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
                refusals=tuple(Refusal.from_json(row) for row in found.get("refusals", ())),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"record of trial {found.get('trial')!r} cannot be read: {error!r}.") from error
