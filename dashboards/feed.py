"""A run as it grows: only what was added since the last look is read, whatever happens to the file meanwhile.

Nothing is ever written or locked: a sweep does not notice its readers.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dashboards.columns import Columns, Gathering
from dashboards.pace import LOCK_FILE, begun, held
from dse.errors import StoreError, UsageError
from dse.metrics import Judge, Measurement
from dse.record import FORMAT, Failure, Record
from dse.run import RECORDS_FILE, STUDY_FILE, Asked, Run, open_study, replay

#: Bytes before the place of reading by which a file is known to be the one that was read.
MARK = 256
#: Lines that cannot be read are told of, so many of them in words.
TOLD = 3


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment. `trouble` says which lines of the file could not be read, and why; `lost` counts them.

    `begun` is the time (seconds since 1970) at which the last `dse run` or `dse synth` took the folder, 0 where none did.
    """

    version: int
    finished: int
    running: tuple[Asked, ...]
    judges: tuple[Judge, ...]
    stated: dict[Judge, int]
    trouble: tuple[str, ...]
    lost: int
    going_on: bool
    begun: float


class Feed:
    """Reads one run's folder again and again; may be used by several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._study = _stamp(folder / STUDY_FILE)
        self.run = open_study(folder)
        self.path = folder / RECORDS_FILE
        self._lock = threading.Lock()
        self._version = 0
        self._restart()

    def _restart(self) -> None:
        self._gathering = Gathering(self.run.goals.judge)
        self._asked: dict[int, Asked] = {}
        self._places: dict[int, list[tuple[int, int]]] = {}
        self._trouble: list[str] = []
        self._lost = self._lines = self._offset = 0
        self._mark = b""
        self._file: tuple[int, int] | None = None
        self._columns: dict[Judge, Columns] = {}

    @property
    def name(self) -> str:
        """The study's name."""
        return self.run.name

    def refresh(self) -> Snapshot:
        """Read what was added; a file that was replaced or cut is read anew from its beginning."""
        with self._lock:
            self._study_again()
            self._read()
            return Snapshot(
                version=self._version,
                finished=len(self._gathering.rows),
                running=tuple(asked for trial, asked in self._asked.items() if trial not in self._gathering.rows),
                judges=tuple(self._gathering.judges),
                stated=dict(self._gathering.stated),
                trouble=tuple(self._trouble),
                lost=self._lost,
                going_on=held(self.folder / LOCK_FILE),
                begun=begun(self.folder / LOCK_FILE),
            )

    def columns(self, judge: Judge) -> Columns:
        """All that has been read so far, as this judge sees it."""
        with self._lock:
            if judge not in self._columns:
                self._columns[judge] = self._gathering.columns(judge)
            return self._columns[judge]

    def record(self, trial: int) -> Record | None:
        """The record of this trial, read again from the file; None where there is none, or no longer."""
        with self._lock:
            places = list(self._places.get(trial, ()))
        rows = []
        try:
            with self.path.open("rb") as file:
                for start, length in places:
                    file.seek(start)
                    rows.append(json.loads(file.read(length)))
            records, _ = replay(rows)
        except (OSError, ValueError, StoreError, AttributeError):
            return None  # the file was replaced; the next look reads it anew
        return records.get(trial)

    def _study_again(self) -> None:
        """A sweep that goes on may be asked for more trials or a wider space; a file that cannot be read is left for later."""
        stamp = _stamp(self.folder / STUDY_FILE)
        if stamp == self._study:
            return
        try:
            run = open_study(self.folder)
        except (OSError, StoreError, UsageError):
            return
        before, self.run, self._study = self.run, run, stamp
        self._version += 1
        if run.goals != before.goals:
            self._restart()

    def _read(self) -> None:
        try:
            with self.path.open("rb") as file:
                about = os.fstat(file.fileno())
                if self._changed(file, about):
                    self._restart()
                    self._version += 1
                self._file = (about.st_dev, about.st_ino)
                if about.st_size == self._offset:
                    return
                file.seek(self._offset)
                for line in _whole_lines(file):
                    self._lines += 1
                    self._take(line, self._offset)
                    self._offset += len(line)
                    self._mark = (self._mark + line)[-MARK:]
                    self._version += 1
                    self._columns = {}
        except FileNotFoundError:
            if self._offset:
                self._restart()
                self._version += 1

    def _changed(self, file: Any, about: os.stat_result) -> bool:
        """Whether this is not the file that was read, or not only longer."""
        if self._offset == 0:
            return False
        if self._file != (about.st_dev, about.st_ino) or about.st_size < self._offset:
            return True
        file.seek(self._offset - len(self._mark))
        return bool(file.read(len(self._mark)) != self._mark)

    def _take(self, line: bytes, place: int) -> None:
        try:
            row = json.loads(line, parse_constant=_no_number)
            self._row(row, (place, len(line)))
        except (StoreError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self._lost += 1
            if len(self._trouble) < TOLD:
                self._trouble.append(f"line {self._lines}: {_reason(error)[:300]}")

    def _row(self, row: Any, place: tuple[int, int]) -> None:
        """One line of the journal, as `dse.run.replay` takes it."""
        if not isinstance(row, dict):
            raise ValueError("not an object")  # noqa: TRY004 - damaged text, as any other
        if row.get("v") != FORMAT:
            raise StoreError(f"a row of format {row.get('v')!r}; this dse reads {FORMAT}.")
        trial = row["trial"]
        match row["kind"]:
            case "record":
                self._gathering.record(Record.from_json(_without_layers(row)))
                self._places[trial] = [place]
            case "asked":
                _, asked = replay([row])
                self._asked |= asked
            case "added" | "refused" if trial not in self._places:
                return
            case "added":
                failure = None if row["failure"] is None else Failure(**row["failure"])
                self._gathering.added(trial, [Measurement.from_json(m) for m in row["measurements"]], failure)
                self._places[trial].append(place)
            case "refused":
                self._gathering.knows(Judge(**row["judge"]))
                self._places[trial].append(place)
            case kind:
                raise StoreError(f"a row of unknown kind {kind!r}.")

    def shown(self) -> Run:
        """The run without its records, for what needs its folder and its study alone."""
        return replace(self.run, asked=dict(self._asked))


def _without_layers(row: dict[str, Any]) -> dict[str, Any]:
    """A record's row without figures per layer: half the work of reading it, and looked at for one design at a time."""
    for found in row["measurements"]:
        found.pop("layers", None)
    return row


def _whole_lines(file: Any) -> Iterator[bytes]:
    """Lines that have their end; the last one may still be being written."""
    while (line := file.readline()).endswith(b"\n"):
        yield line


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error}"
    return str(error) if isinstance(error, (StoreError, ValueError)) else repr(error)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """By what a file that was replaced is known."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns
