"""The records of a run as columns: what a page asks of ten thousand designs at once, without an object per design."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dashboards.knob import Bools, Floats, Ints, Knob, merged
from dse.design import Scalar
from dse.metrics import Judge, Measurement
from dse.record import Failure, Record

#: Characters of a failure's message and of the end of its log that are kept; `dse show` has all.
MESSAGE, LOG = 2000, 4000


@dataclass(frozen=True)
class Columns:
    """What one judge, and all that has no judge, has said of the designs, in the order in which the trials were finished.

    Figures that nobody has stated are NaN, as are `lows` and `highs` where no interval is stated, `finished` (seconds since
    1970) where the record does not say when, and `seconds` of a stage that a trial never came to. `failure` counts into
    `failures`, each different one of which is there once; -1 is none.
    """

    judge: Judge
    trials: Ints
    figures: Mapping[str, Floats]
    lows: Mapping[str, Floats]
    highs: Mapping[str, Floats]
    knobs: Mapping[str, Knob]
    pruned: Bools
    failure: Ints
    failures: tuple[Failure, ...]
    finished: Floats
    seconds: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.trials)

    def figure(self, metric: str) -> Floats:
        """The figures of `metric`, NaN where they are not stated."""
        return self.figures.get(metric, np.full(len(self), math.nan))

    def row(self, trial: int) -> int | None:
        """Where this trial is, or None."""
        found = np.flatnonzero(self.trials == trial)
        return int(found[0]) if len(found) else None

    def setting(self, name: str) -> Knob:
        """A flat knob; for a layer that a design does not name it is the knob's value for all layers."""
        own, every = self.knobs.get(name), self.knobs.get(name.partition(".")[0])
        if own is None or every is None or own is every:
            return own or every or Knob(np.full(len(self), -1, dtype=np.int64), ())
        values = (*own.values, *every.values)
        codes = np.where(own.codes >= 0, own.codes, np.where(every.codes >= 0, every.codes + len(own.values), -1))
        return merged(Knob(codes, values))


class _Cells:
    """A growing column that may lag behind the rows; `fill` stands where nothing was put."""

    def __init__(self, kind: str, fill: float) -> None:
        self.fill: Any = fill
        self.cells: array[Any] = array(kind)

    def put(self, row: int, value: float) -> None:
        cells = self.cells
        if row < len(cells):
            cells[row] = value
            return
        if row > len(cells):
            cells.extend([self.fill] * (row - len(cells)))
        cells.append(value)

    def taken(self, rows: Ints, count: int) -> NDArray[np.generic]:
        """The cells of these rows, of `count` in all."""
        found = np.full(count, self.fill, dtype=self.cells.typecode)
        found[: len(self.cells)] = self.cells
        return found[rows]


K = TypeVar("K", str, tuple[str, str])


def _put(columns: dict[K, _Cells], name: K, row: int, value: float) -> None:
    """Put a number into the column of this name, which begins with its first one."""
    cells = columns.get(name)
    if cells is None:
        cells = columns[name] = _Cells("d", math.nan)
    cells.put(row, value)


class Gathering:
    """Columns that grow record by record."""

    def __init__(self, judge: Judge) -> None:
        self.judges: list[Judge] = [judge]
        self.stated: dict[Judge, int] = {judge: 0}
        self.rows: dict[int, int] = {}
        self._count = 0
        self._figures: dict[Judge | None, dict[tuple[str, str], _Cells]] = {}
        self._knobs: dict[str, tuple[_Cells, dict[tuple[type, Scalar], int]]] = {}
        self._seconds: dict[str, _Cells] = {}
        self._pruned, self._failure, self._finished = _Cells("b", 0), _Cells("q", -1), _Cells("d", math.nan)
        self._failures: dict[tuple[str, str, str], tuple[int, Failure]] = {}

    def record(self, record: Record) -> None:
        """Take a trial's last word, in the place of an earlier one; ValueError, and nothing taken, where it makes no sense."""
        knobs = {name: _scalar(name, value) for name, value in record.design.knobs.items()}
        seconds = {stage: float(_scalar(stage, taken)) for stage, taken in record.seconds.items()}
        if not 0 <= record.trial < 2**53:
            raise ValueError(f"a trial's number must be from 0 to 2**53, got {record.trial}.")
        self.rows.pop(record.trial, None)
        row = self.rows[record.trial] = self._count
        self._count += 1
        for name, value in knobs.items():
            if name not in self._knobs:
                self._knobs[name] = (_Cells("q", -1), {})
            cells, codes = self._knobs[name]
            cells.put(row, codes.setdefault((type(value), value), len(codes)))
        for stage, taken in seconds.items():
            _put(self._seconds, stage, row, taken)
        self._pruned.put(row, bool(record.pruned))
        self._finished.put(row, moment(record.finished))
        self._failure.put(row, self._fault(record.failure))
        self._state(row, record.measurements)
        for refusal in record.refusals:
            self.knows(refusal.judge)

    def added(self, trial: int, measurements: Iterable[Measurement], failure: Failure | None) -> None:
        """Take figures or a failure found later; KeyError where the trial has no record."""
        row = self.rows[trial]
        self._state(row, measurements)
        if failure is not None:
            self._failure.put(row, self._fault(failure))

    def columns(self, judge: Judge) -> Columns:
        """What has been gathered so far, as this judge sees it."""
        rows = np.fromiter(self.rows.values(), dtype=np.int64, count=len(self.rows))

        def taken(cells: _Cells) -> NDArray[np.generic]:
            return cells.taken(rows, self._count)

        def figures(what: str) -> dict[str, Floats]:
            found: dict[str, Floats] = {}
            for said in (None, judge):  # where both state it, the judge's word counts
                for (kind, metric), cells in self._figures.get(said, {}).items():
                    if kind == what:
                        now = taken(cells).astype(np.float64)
                        found[metric] = np.where(np.isnan(now), found[metric], now) if metric in found else now
            return found

        return Columns(
            judge=judge,
            trials=np.fromiter(self.rows, dtype=np.int64, count=len(self.rows)),
            figures=figures("value"),
            lows=figures("low"),
            highs=figures("high"),
            knobs={
                name: Knob(taken(cells).astype(np.int64), tuple(value for _, value in codes))
                for name, (cells, codes) in self._knobs.items()
            },
            pruned=taken(self._pruned).astype(np.bool_),
            failure=taken(self._failure).astype(np.int64),
            failures=tuple(failure for _, failure in self._failures.values()),
            finished=taken(self._finished).astype(np.float64),
            seconds={stage: taken(cells).astype(np.float64) for stage, cells in self._seconds.items()},
        )

    def _state(self, row: int, measurements: Iterable[Measurement]) -> None:
        for found in measurements:
            if found.judge is not None:
                self.knows(found.judge)
                self.stated[found.judge] += 1
            mine = self._figures.setdefault(found.judge, {})
            for metric, value in found.values.items():
                _put(mine, ("value", metric), row, value)
                low, high = found.intervals.get(metric, (math.nan, math.nan))
                if found.intervals:
                    _put(mine, ("low", metric), row, low)
                    _put(mine, ("high", metric), row, high)

    def knows(self, judge: Judge) -> None:
        """Note that this judge has a word, be it a refusal."""
        if judge not in self.stated:
            self.judges.append(judge)
            self.stated[judge] = 0

    def _fault(self, failure: Failure | None) -> int:
        if failure is None:
            return -1
        alike = (failure.stage, failure.kind, failure.message[:MESSAGE])
        if alike not in self._failures:
            text = failure.message
            told = text if len(text) <= MESSAGE else f"{text[:MESSAGE]} … ({len(text):,} characters; `dse show` has all)"
            self._failures[alike] = (len(self._failures), replace(failure, message=told, log=failure.log[-LOG:]))
        return self._failures[alike][0]


def _scalar(name: str, value: Scalar) -> Scalar:
    if not isinstance(value, (bool, int, float, str)) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{name} must be text or a finite number, got {value!r:.80}.")
    return value


def moment(text: str) -> float:
    """ISO 8601 as seconds since 1970, NaN where it is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return math.nan


def gather(judge: Judge, records: Iterable[Record]) -> Columns:
    """The columns of records as this judge sees them."""
    found = Gathering(judge)
    for record in records:
        found.record(record)
    return found.columns(judge)
