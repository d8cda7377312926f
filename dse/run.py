"""The folder of one sweep, as anyone may read it: the study as it was asked, and the records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dse import journal
from dse.design import Design
from dse.errors import StoreError, UsageError
from dse.goals import Goals
from dse.metrics import Measurement
from dse.record import FORMAT, Failure, Record, Refusal

STUDY_FILE = "study.json"
RECORDS_FILE = "records.jsonl"


@dataclass(frozen=True, slots=True)
class Asked:
    """A trial that was begun: its design, its flat sampler parameters and when (ISO 8601, UTC)."""

    trial: int
    design: Design
    parameters: Mapping[str, Any]
    time: str = ""

    def as_json(self) -> dict[str, Any]:
        """One journal row."""
        return {
            "v": FORMAT,
            "kind": "asked",
            "trial": self.trial,
            "digest": self.design.digest,
            "design": self.design.as_json(),
            "parameters": dict(self.parameters),
            "time": self.time,
        }


@dataclass(frozen=True)
class Run:
    """A sweep's folder, read once: `study` is the study's own JSON, `records` one per finished trial, in order of finish."""

    folder: Path
    study: Mapping[str, Any]
    goals: Goals
    records: tuple[Record, ...]
    asked: Mapping[int, Asked]

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.study["name"])

    @property
    def running(self) -> tuple[Asked, ...]:
        """Trials that were begun and have no record yet."""
        done = {record.trial for record in self.records}
        return tuple(asked for trial, asked in self.asked.items() if trial not in done)

    def record(self, trial: int) -> Record:
        """The record of this trial; UsageError otherwise."""
        for record in self.records:
            if record.trial == trial:
                return record
        raise UsageError(
            f"{self.folder}: no record of trial {trial}; there are {len(self.records)}, `dse front` lists the best."
        )


def added_row(trial: int, measurements: tuple[Measurement, ...], failure: Failure | None = None) -> dict[str, Any]:
    """A journal row with figures, or a failure, found after the trial's record was written."""
    from dataclasses import asdict

    return {
        "v": FORMAT,
        "kind": "added",
        "trial": trial,
        "measurements": [m.as_json() for m in measurements],
        "failure": None if failure is None else asdict(failure),
    }


def refused_row(trial: int, refusal: Refusal) -> dict[str, Any]:
    """A journal row that says why a judge, asked after the trial's record was written, has no figures of it."""
    return {"v": FORMAT, "kind": "refused", "trial": trial, **refusal.as_json()}


def replay(rows: list[dict[str, Any]]) -> tuple[dict[int, Record], dict[int, Asked]]:
    """Records and begun trials of journal rows; StoreError for rows of another format.

    The last record of a trial counts (a failure may be tried again on request); figures added later belong to it.
    """
    records: dict[int, Record] = {}
    asked: dict[int, Asked] = {}
    for row in rows:
        if row.get("v") != FORMAT:
            raise StoreError(f"row of format {row.get('v')!r}, this dse reads {FORMAT}. Use the dse that wrote it.")
        try:
            match row["kind"]:
                case "record":
                    record = Record.from_json(row)
                    records.pop(record.trial, None)
                    records[record.trial] = record
                case "asked":
                    design = Design.from_json(row["design"])
                    asked[row["trial"]] = Asked(row["trial"], design, row["parameters"], row["time"])
                case "added" | "refused" if row["trial"] not in records:
                    continue  # its record's line was removed; the trial is begun again
                case "added":
                    failure = None if row["failure"] is None else Failure(**row["failure"])
                    measurements = [Measurement.from_json(m) for m in row["measurements"]]
                    records[row["trial"]] = records[row["trial"]].plus(measurements, failure)
                case "refused":
                    records[row["trial"]] = records[row["trial"]].refused(Refusal.from_json(row))
                case kind:
                    raise StoreError(f"row of unknown kind {kind!r}. Use the dse that wrote it.")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"row of trial {row.get('trial')!r} cannot be read: {error!r}.") from error
    return records, asked


def open_study(folder: Path) -> Run:
    """A sweep's folder without its records; UsageError where it is none, StoreError where the study's file is damaged."""
    path = folder / STUDY_FILE
    if not path.exists():
        raise UsageError(
            f"{folder} is not the folder of a sweep: it has no {STUDY_FILE}. `dse run STUDY.py` makes runs/<study>."
        )
    try:
        study = json.loads(path.read_text())
        if study["v"] != FORMAT:
            raise StoreError(f"{path} has format {study['v']!r}, this dse reads {FORMAT}. Use the dse that wrote it.")
        goals = Goals.from_json(study["goals"])
    except (ValueError, KeyError, TypeError, UsageError) as error:
        raise StoreError(f"{path} cannot be read: {error!r}. Restore it, or remove the folder and sweep again.") from error
    return Run(folder, study, goals, (), {})


def open_run(folder: Path | str) -> Run:
    """Read a sweep's folder; UsageError where it is none, StoreError where its files are damaged."""
    folder = Path(folder)
    run = open_study(folder)
    records, asked = replay(journal.read(folder / RECORDS_FILE))
    return replace(run, records=tuple(records.values()), asked=asked)
