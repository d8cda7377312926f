"""Learning from one's own vendor runs: a correction of the estimate by figures that a tool has stated."""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import UsageError
from dse.metrics import Measurement
from dse.publish import publish
from dse.record import Record
from dse.synth.estimate.cost import FIGURES

#: Fewer designs than this say nothing about a figure.
LEAST_DESIGNS = 5
COVERAGE = 0.9
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Pair:
    """One design's figure as estimated and as the tool stated it."""

    group: str
    figure: str
    estimated: float
    stated: float


@dataclass(frozen=True, slots=True)
class Correction:
    """stated + offset is about exp(shift) * (estimated + offset) ** power; `score` is the 90 % half-width of what remains.

    `low` and `high` bound the estimates that it was learned from; outside, it is not applied.
    """

    figure: str
    shift: float
    power: float
    score: float
    low: float
    high: float
    designs: int

    def apply(self, value: float, offset: float) -> float:
        """The corrected figure; never below 0."""
        return max(math.exp(self.shift + self.power * math.log(value + offset)) - offset, 0.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Corrections for one tool, version, level and part; part of the judge, so that no front mixes two of them."""

    tool: str
    tool_version: str
    level: str
    part: str
    corrections: tuple[Correction, ...]

    @property
    def name(self) -> str:
        """What the judge calls it: the tool, and a digest of the corrections."""
        digest = hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.tool} {self.tool_version} {self.level}, {digest}"

    def of(self, figure: str) -> Correction | None:
        """The correction of a figure, if there is one."""
        return next((found for found in self.corrections if found.figure == figure), None)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        rows = [{name: getattr(c, name) for name in Correction.__dataclass_fields__} for c in self.corrections]
        head = {"format": FORMAT, "tool": self.tool, "tool_version": self.tool_version}
        return {**head, "level": self.level, "part": self.part, "corrections": rows}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Calibration:
        """The inverse of `as_json`; UsageError for another format."""
        if found.get("format") != FORMAT:
            raise UsageError(
                f"calibration of format {found.get('format')!r}; this version of dse reads {FORMAT}. Calibrate again."
            )
        rows = tuple(Correction(**row) for row in found["corrections"])
        return cls(found["tool"], found["tool_version"], found["level"], found["part"], rows)

    def save(self, path: Path) -> None:
        """Write it to a file that `load` reads; DseError with the reason where that fails."""
        publish(path, (json.dumps(self.as_json(), indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: Path | str) -> Calibration:
        """Read what `save` has written; UsageError where the file is not there or holds something else."""
        try:
            return cls.from_json(json.loads(Path(path).read_text()))
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: not a calibration ({error}). Make one with `dse calibrate DIR --out {path}`.") from error


@dataclass(frozen=True, slots=True)
class Outcome:
    """A calibration with the symmetric error of each figure, percent: before, and after on designs that it had not seen."""

    calibration: Calibration
    before: Mapping[str, float]
    after: Mapping[str, float]
    kept: Mapping[str, int]


def pairs_of(records: Iterable[Record], estimated: str = "estimated") -> dict[tuple[str, str, str, str], list[Pair]]:
    """Figures that both an estimate and a tool have stated, by (tool, version, level, part).

    Only plain estimates count: correcting a corrected figure would compound. A design that several records hold counts once.
    """
    found: dict[tuple[str, str, str, str], dict[tuple[str, str], Pair]] = {}
    for record in records:
        guesses = [m for m in record.measurements if m.judge and m.judge.level == estimated and not m.judge.calibration]
        if not guesses:
            continue
        for measurement in record.measurements:
            judge = measurement.judge
            if judge is None or judge.level == estimated:
                continue
            key = (judge.tool, judge.version, judge.level, judge.part)
            for pair in _pairs(record.design.digest, guesses[-1], measurement):
                found.setdefault(key, {})[pair.group, pair.figure] = pair
    return {key: list(rows.values()) for key, rows in found.items()}


def _pairs(group: str, guess: Measurement, stated: Measurement) -> Iterable[Pair]:
    for figure in FIGURES:
        if figure in guess.values and figure in stated.values:
            yield Pair(group, figure, guess.values[figure], stated.values[figure])


def calibrate(key: tuple[str, str, str, str], pairs: Sequence[Pair], offsets: Mapping[str, float]) -> Outcome:
    """Learn a correction per figure; UsageError where no figure has LEAST_DESIGNS designs.

    A figure keeps its correction only where it has made designs better that it had not seen (leave one out).
    """
    corrections, before, after, kept = [], {}, {}, {}
    for figure in FIGURES:
        rows = [pair for pair in pairs if pair.figure == figure]
        if len(rows) < LEAST_DESIGNS:
            continue
        offset = offsets[figure]
        before[figure] = _smape([(p.estimated, p.stated) for p in rows])
        guesses = [_learn(rows[:i] + rows[i + 1 :], offset).apply(p.estimated, offset) for i, p in enumerate(rows)]
        after[figure] = _smape(list(zip(guesses, (p.stated for p in rows), strict=True)))
        kept[figure] = len(rows)
        if after[figure] < before[figure]:
            scores = [_score(g, p.stated, offset) for g, p in zip(guesses, rows, strict=True)]
            corrections.append(_learn(rows, offset, _quantile(scores)))
        else:
            after[figure] = before[figure]
    if not kept:
        raise UsageError(
            f"{key[0]} {key[1]} ({key[3]}): no figure has {LEAST_DESIGNS} designs with an estimate and a figure of the tool. "
            "Synthesise more designs of the study first."
        )
    return Outcome(Calibration(*key, tuple(corrections)), before, after, kept)


def _learn(rows: Sequence[Pair], offset: float, score: float = 0.0) -> Correction:
    """Robust line through the logarithms: slope by Theil and Sen (1968), drawn towards 1 by what few designs can tell."""
    x = [math.log(p.estimated + offset) for p in rows]
    y = [math.log(p.stated + offset) for p in rows]
    slopes = [
        (b - d) / (a - c) for i, (a, b) in enumerate(zip(x, y, strict=True)) for c, d in zip(x[:i], y[:i], strict=True) if a - c
    ]
    trust = min(len(rows) / 30, 1.0)
    slope = 1.0 if not slopes else 1 + trust * (min(max(statistics.median(slopes), 0.5), 1.5) - 1)
    shift = statistics.median(b - slope * a for a, b in zip(x, y, strict=True))
    low, high = min(p.estimated for p in rows), max(p.estimated for p in rows)
    return Correction(rows[0].figure, shift, slope, score, low, high, len(rows))


def _score(guess: float, stated: float, offset: float) -> float:
    return abs(math.log((stated + offset) / (guess + offset)))


def _quantile(scores: Sequence[float]) -> float:
    """The conformal quantile; with fewer than 9 designs no sample reaches 90 %, then half as much again as the largest."""
    place = math.ceil((len(scores) + 1) * COVERAGE)
    ordered = sorted(scores)
    return ordered[place - 1] if place <= len(ordered) else 1.5 * ordered[-1]


def _smape(pairs: Sequence[tuple[float, float]]) -> float:
    return statistics.fmean(0.0 if a + b == 0 else 200 * abs(a - b) / (a + b) for a, b in pairs)
