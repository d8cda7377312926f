"""What a study wants: objectives, limits and the one judge whose hardware figures count."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from dse.errors import UsageError
from dse.metrics import METRICS, Judge, Measurement, Metric, among
from dse.record import Record

#: How sure an estimate's interval is of holding the tool's figure.
CONFIDENCE = 0.9
Direction = Literal["max", "min", ""]
#: Units of which 1 is not a small amount.
SCALELESS = ("fraction", "squared")


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric to be made as large or as small as can be; the direction defaults to what is better for this metric.

    The metric is one of METRICS or, by its name, a score of the study's own.
    """

    metric: str
    direction: Direction = ""

    def __post_init__(self) -> None:
        known = METRICS.get(self.metric)
        direction = self.direction or (known.better if known is not None else "")
        if direction not in ("max", "min") and (known is not None or self.direction):  # a score of one's own: Study knows
            raise UsageError(f'objective {self.metric}: direction must be "max" or "min", got {self.direction!r}.')
        object.__setattr__(self, "direction", direction)

    @property
    def sign(self) -> int:
        """-1 where more is better, so that sign * value is always to be made small."""
        return -1 if self.direction == "max" else 1


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound that a design must keep to be feasible; exactly one of the three is given.

    The percent forms are of the part's resources (DSP, LUT, FF, BRAM_18K, URAM); the others are in the metric's unit. With
    `confidence=0.9` the bound must hold for the far end of an estimate's 90 % interval, not only for its figure; figures that
    state no interval (a vendor's) are taken as they are.
    """

    metric: str
    at_most: float | None = None
    at_least: float | None = None
    at_most_percent: float | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.at_most, self.at_least, self.at_most_percent) if value is not None]
        if len(given) != 1:
            raise UsageError(
                f"limit on {self.metric}: give exactly one of at_most, at_least, at_most_percent; got {len(given)}."
            )
        if isinstance(given[0], bool) or not isinstance(given[0], (int, float)) or not math.isfinite(given[0]):
            raise UsageError(f"limit on {self.metric}: the bound must be a finite number, got {given[0]!r}.")
        if self.confidence not in (None, CONFIDENCE):
            raise UsageError(
                f"limit on {self.metric}: confidence must be {CONFIDENCE}, as estimates have; got {self.confidence!r}."
            )

    def bound(self, resources: Mapping[str, int]) -> float:
        """The bound in the metric's unit; UsageError where a percentage is asked of something the part does not have."""
        if self.at_most_percent is not None:
            if self.metric not in resources:
                raise UsageError(
                    f"limit on {self.metric}: in percent only for {', '.join(resources) or 'nothing'} of the part."
                )
            return self.at_most_percent / 100 * resources[self.metric]
        bound = self.at_least if self.at_most is None else self.at_most
        assert bound is not None
        return bound

    def shortfall(self, value: float, resources: Mapping[str, int]) -> float:
        """How far `value` is beyond the bound, relative to it: `(value - bound) / max(abs(bound), 1)`; <= 0 is kept.

        Fractions (accuracy, agreement) and scores of any scale are divided by the bound alone.
        """
        bound = self.bound(resources)
        over = bound - value if self.at_least is not None else value - bound
        unit = 1.0 if self.metric in METRICS and METRICS[self.metric].unit not in SCALELESS else 1e-9
        return over / max(abs(bound), unit)

    def judged(self, measurement: Measurement) -> float:
        """The value that is held against the bound: the figure, or with `confidence` its interval's worse end."""
        interval = measurement.intervals.get(self.metric)
        if self.confidence is None or interval is None:
            return measurement.values[self.metric]
        return interval[0 if self.at_least is not None else 1]

    def __str__(self) -> str:
        sure = "" if self.confidence is None else f" ({self.confidence:.0%} sure)"
        if self.at_least is not None:
            return f"{self.metric} >= {self.at_least:.12g}{sure}"
        if self.at_most is not None:
            return f"{self.metric} <= {self.at_most:.12g}{sure}"
        return f"{self.metric} <= {self.at_most_percent:.12g} % of the part{sure}"


@dataclass(frozen=True)
class Goals:
    """Objectives and limits of a study, the part's resources and the judge: all that is needed to compare records.

    `own` says what the scores are that the study has defined itself.
    """

    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...]
    judge: Judge
    #: DSP, LUT, FF, BRAM_18K and URAM of the part, by metric name
    resources: Mapping[str, int] = field(default_factory=dict)
    own: tuple[Metric, ...] = ()

    def __post_init__(self) -> None:
        for name in (*(goal.metric for goal in self.objectives), *(limit.metric for limit in self.limits)):
            self.metric(name)

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """All metrics by name, the study's own included."""
        return {**METRICS, **{row.name: row for row in self.own}}

    def metric(self, name: str) -> Metric:
        """The metric of this name, the study's own included; UsageError otherwise."""
        return among(self.metrics, name)

    def values(self, record: Record) -> tuple[float, ...] | None:
        """The objectives' values in order, or None where one of them has not been stated by this judge."""
        found = [record.value(objective.metric, self.judge) for objective in self.objectives]
        return None if any(value is None for value in found) else tuple(value for value in found if value is not None)

    def shortfalls(self, record: Record) -> dict[str, float]:
        """Each limit's shortfall (<= 0: kept) by its text; limits on figures that nobody has stated are left out."""
        found: dict[str, float] = {}
        for limit in self.limits:
            stated = record.measurement(limit.metric, self.judge)
            if stated is not None:
                found[str(limit)] = limit.shortfall(limit.judged(stated), self.resources)
        return found

    def feasible(self, record: Record) -> bool:
        """True for a record without failure, with every objective and every limited figure, within all limits."""
        if record.failure is not None or record.pruned or self.values(record) is None:
            return False
        found = self.shortfalls(record)
        return len(found) == len(set(map(str, self.limits))) and all(over <= 0 for over in found.values())

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        found = {
            "objectives": [asdict(o) for o in self.objectives],
            "limits": [asdict(limit) for limit in self.limits],
            "judge": asdict(self.judge),
            "resources": dict(self.resources),
        }
        return found | ({"metrics": [asdict(row) for row in self.own]} if self.own else {})

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Goals:
        """The inverse of `as_json`."""
        return cls(
            tuple(Objective(**o) for o in found["objectives"]),
            tuple(Limit(**limit) for limit in found["limits"]),
            Judge(**found["judge"]),
            found["resources"],
            tuple(Metric(**row) for row in found.get("metrics", ())),
        )
