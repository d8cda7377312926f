"""The records of one sweep: written by one runner at a time, safe against being killed at any moment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dse import journal
from dse.design import Design
from dse.errors import DseError
from dse.metrics import Measurement
from dse.record import Failure, Record, Refusal
from dse.run import RECORDS_FILE, STUDY_FILE, Asked, added_row, refused_row, replay


class Ledger:
    """Asked trials and records, in memory and on the disk; every change is on the disk when the method returns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / RECORDS_FILE
        self.records, self.asked = replay(journal.read(self._path))
        #: a number that no trial has
        self.next_trial = max([-1, *self.asked, *self.records]) + 1

    def _append(self, *rows: dict[str, Any]) -> None:
        try:
            journal.append(self._path, rows)
        except OSError as error:
            raise DseError(f"{self._path}: {error.strerror}. Mend that; the same command then goes on from here.") from error

    @property
    def pending(self) -> list[Asked]:
        """Trials that were begun and have no record: they are evaluated again under their own numbers."""
        return [asked for trial, asked in sorted(self.asked.items()) if trial not in self.records]

    def ask(self, *begun: tuple[int, Design, Mapping[str, Any]]) -> list[Asked]:
        """Note that trials begin, each with its number, design and sampler parameters."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        found = [Asked(*row, now) for row in begun]
        self._append(*(asked.as_json() for asked in found))
        for asked in found:
            self.asked[asked.trial] = asked
            self.next_trial = max(self.next_trial, asked.trial + 1)
        return found

    def finish(self, record: Record) -> None:
        """Note a trial's final word."""
        self._append(record.as_json())
        self.records[record.trial] = record
        self.next_trial = max(self.next_trial, record.trial + 1)

    def add(self, trial: int, measurements: tuple[Measurement, ...], failure: Failure | None) -> Record:
        """Note figures, or a failure, found after the record was written; the record as it is now."""
        self._append(added_row(trial, measurements, failure))
        self.records[trial] = self.records[trial].plus(measurements, failure)
        return self.records[trial]

    def refuse(self, trial: int, refusal: Refusal) -> Record:
        """Note why a judge has no figures of a trial's design; the record as it is now."""
        self._append(refused_row(trial, refusal))
        self.records[trial] = self.records[trial].refused(refusal)
        return self.records[trial]


def write_study(folder: Path, study: Mapping[str, Any]) -> None:
    """Keep the study as it is asked beside the records, all of it or nothing."""
    draft = folder / f"{STUDY_FILE}.{os.getpid()}"
    draft.write_text(json.dumps(study, indent=1))
    draft.replace(folder / STUDY_FILE)


def differences(before: Any, now: Any, at: str = "") -> list[str]:
    """Where two plain values differ, one line each: `space.weight_bits: [3, 4] -> [3, 4, 5]`; tuples equal lists."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        names = dict.fromkeys([*before, *now])
        return [line for name in names for line in differences(before.get(name), now.get(name), f"{at}.{name}".lstrip("."))]
    return [] if _read(before) == _read(now) else [f"{at}: {_short(before)} -> {_short(now)}"]


def _read(value: Any) -> Any:
    """The value as it would come back from a file."""
    return json.loads(json.dumps(value))


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 70 else f"{text[:66]} ..."
