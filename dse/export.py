"""Records as files for other programs: one row per record, one judge at a time, every figure with who said it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dse.design import ARCHITECTURE, KNOBS
from dse.errors import DseError, StoreError
from dse.metrics import METRICS, Judge, Measurement
from dse.record import Record
from dse.view import Standing, View

if TYPE_CHECKING:
    import pandas as pd

Cell = bool | int | float | str | None

#: Columns that every table has, stated or not, so that programs that read tables can rely on them.
ALWAYS = (
    "accuracy",
    "accuracy_n",
    "agreement",
    "dsp",
    "lut",
    "ff",
    "bram_18k",
    "latency_cycles",
    "interval_cycles",
    "latency_ns",
)
#: What makes spreadsheets take a text for a formula: ASCII and full-width signs, and the controls that they skip.
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
ORDER = (ARCHITECTURE, *KNOBS)


def figure(metric: str, measurement: Measurement) -> float:
    """The value as it is written: counts without decimals."""
    value = measurement.values[metric]  # noqa: PD011 - no pandas here
    return int(value) if measurement.metric(metric).whole and float(value).is_integer() else value


def stated(record: Record, judge: Judge) -> dict[str, Measurement]:
    """Who stated which metric: `judge` for hardware figures, the stages for all others; as METRICS are, one's own last."""
    own = (row.name for measurement in record.measurements for row in measurement.own)
    found = {name: record.measurement(name, judge) for name in (*METRICS, *own)}
    return {name: measurement for name, measurement in found.items() if measurement is not None}


def elsewhere(record: Record, judge: Judge) -> dict[Judge, dict[str, Measurement]]:
    """Figures of all judges but `judge`, the last word of each."""
    found: dict[Judge, dict[str, Measurement]] = {}
    for measurement in record.measurements:
        if measurement.judge is not None and measurement.judge != judge:
            found.setdefault(measurement.judge, {}).update(dict.fromkeys(measurement.values, measurement))
    return found


def _provenance(metric: str, measurement: Measurement) -> dict[str, Cell]:
    source = measurement.source
    bounds: dict[str, Cell] = {}
    if metric in measurement.intervals:
        bounds[f"{metric}.low"], bounds[f"{metric}.high"] = measurement.intervals[metric]
    if metric in measurement.grades:
        bounds[f"{metric}.grade"] = measurement.grades[metric]
    return {
        **bounds,
        f"{metric}.judge": None if measurement.judge is None else measurement.judge.name,
        f"{metric}.tool": source.tool,
        f"{metric}.version": source.version,
        f"{metric}.level": source.level,
        f"{metric}.key": source.key or None,
    }


def _groups(standing: Standing, judge: Judge) -> list[dict[str, Cell]]:
    """The cells of one record, in the groups in which columns are ordered."""
    record, failure = standing.record, standing.record.failure
    figures = stated(record, judge)
    head: dict[str, Cell] = {
        "trial": record.trial,
        "digest": record.design.digest,
        "state": standing.state,
        "feasible": standing.feasible,
        "on_front": standing.on_front and standing.as_built,
        "emulated_as_built": standing.as_built,
        "violated": "; ".join(standing.violated) or None,
        "pruned": record.pruned or None,
    }
    provenance: dict[str, Cell] = {}
    for name, measurement in figures.items():
        provenance |= _provenance(name, measurement)
    others: dict[str, Cell] = {
        f"{name} of {other.name}": figure(name, measurement)
        for other, found in elsewhere(record, judge).items()
        for name, measurement in found.items()
    }
    others |= {f"failure of {r.judge.name}": f"{r.failure.kind}: {r.failure.message}" for r in record.refusals}
    tail: dict[str, Cell] = {
        "failure.stage": None if failure is None else failure.stage,
        "failure.kind": None if failure is None else failure.kind,
        "failure.message": None if failure is None else failure.message,
        "finished": record.finished or None,
    }
    return [
        head,
        {**dict.fromkeys(ALWAYS), **{name: figure(name, m) for name, m in figures.items()}},
        {f"knob.{name}": value for name, value in record.design.knobs.items()},
        {f"effective.{name}": value for name, value in record.effective.items()},
        provenance,
        others,
        tail,
        {f"seconds.{stage}": value for stage, value in record.seconds.items()},
    ]


def knob_order(name: str) -> tuple[int, str]:
    """Sorts flat knobs: architecture, compression, precision, hardware; a knob's layers after the knob itself."""
    return ORDER.index(name.partition(".")[0]), name


def _ordered(group: int, names: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(names))
    if group in (1, 4):
        place = {name: number for number, name in enumerate(METRICS)}  # scores of the study's own come last
        return sorted(found, key=lambda name: place.get(name.partition(".")[0], len(place)))
    if group == 2:
        return sorted(found, key=lambda name: knob_order(name.removeprefix("knob.")))
    return found


def rows(view: View) -> tuple[list[str], list[dict[str, Cell]]]:
    """Column names in order, and one flat row per record, in order of trials; StoreError for a number that is none."""
    standings = sorted(view.standings, key=lambda standing: standing.record.trial)
    groups = [_groups(standing, view.judge) for standing in standings] or [[{}, dict.fromkeys(ALWAYS), *[{}] * 6]]
    columns = [name for n in range(8) for name in _ordered(n, (name for row in groups for name in row[n]))]
    found = [{name: cell for group in row for name, cell in group.items()} for row in groups if row[0]]
    for row in found:
        for name, cell in row.items():
            if isinstance(cell, float) and not math.isfinite(cell):
                raise StoreError(f"trial {row['trial']}: {name} is {cell}; the record was damaged after it was written.")
    return columns, found


def table(view: View) -> pd.DataFrame:
    """One row per record with the columns of `rows`; a missing figure is pandas.NA, never 0 and never NaN."""
    import pandas as pd

    columns, found = rows(view)
    cells = {name: [row.get(name) for row in found] for name in columns}
    return pd.DataFrame({name: pd.Series(column, dtype=_dtype(column)) for name, column in cells.items()})


def _dtype(column: list[Cell]) -> Any:
    kinds = {type(cell) for cell in column} - {type(None)}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "Int64"
    if kinds and kinds <= {int, float}:
        return "Float64"
    return "string" if kinds <= {str} else object


def as_csv(view: View) -> bytes:
    """The table as CSV, UTF-8. A text that a spreadsheet would take for a formula is led by an apostrophe."""
    found = table(view)
    for name in found.columns:
        if found[name].dtype in ("string", "object"):
            found[name] = found[name].map(_harmless, na_action="ignore")
    return found.rename(columns=_harmless).to_csv(index=False, lineterminator="\n").encode()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def as_parquet(view: View) -> bytes:
    """The table as Parquet; DseError where pyarrow is not installed. Columns of mixed kinds become text."""
    try:
        import pyarrow  # noqa: F401, ICN001 - pandas' message would not say which extra brings it
    except ImportError:
        raise DseError('Parquet files need pyarrow, which is not installed: pip install "dse[parquet]".') from None
    found = table(view)
    for name in found.columns:
        if found[name].dtype == object:
            found[name] = found[name].map(str, na_action="ignore").astype("string")
    return found.to_parquet(index=False)


def as_json(view: View) -> bytes:
    """A list of objects, one per record, in order of trials; each figure with unit, source, judge, interval and grade."""
    rows(view)
    standings = sorted(view.standings, key=lambda standing: standing.record.trial)
    found = [describe(standing, view.judge) for standing in standings]
    return (json.dumps(found, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()


def describe(standing: Standing, judge: Judge) -> dict[str, Any]:
    """All that is known of one record, as JSON values."""
    record = standing.record
    return {
        "trial": record.trial,
        "digest": record.design.digest,
        "state": standing.state,
        "feasible": standing.feasible,
        "on_front": standing.on_front and standing.as_built,
        "emulated_as_built": standing.as_built,
        "shortfalls": dict(standing.shortfalls),
        "pruned": record.pruned,
        "knobs": record.design.knobs,
        "effective": dict(record.effective),
        "figures": _figures(stated(record, judge)),
        "others": [
            {"judge": {"name": other.name, **asdict(other)}, "figures": _figures(found)}
            for other, found in elsewhere(record, judge).items()
        ],
        "failure": None if record.failure is None else asdict(record.failure),
        "refusals": [
            {"judge": {"name": r.judge.name, **asdict(r.judge)}, "failure": asdict(r.failure), "key": r.key}
            for r in record.refusals
        ],
        "entries": dict(record.entries),
        "seconds": dict(record.seconds),
        "finished": record.finished,
    }


def _figures(found: Mapping[str, Measurement]) -> dict[str, Any]:
    figures = {}
    for name, measurement in found.items():
        figures[name] = {
            "value": figure(name, measurement),
            "unit": measurement.metric(name).unit,
            "source": asdict(measurement.source),
            "judge": None if measurement.judge is None else measurement.judge.name,
        }
        if any(name == row.name for row in measurement.own):
            figures[name]["meaning"] = measurement.metric(name).meaning
        if name in measurement.intervals:
            figures[name]["interval"] = list(measurement.intervals[name])
        if name in measurement.grades:
            figures[name]["grade"] = measurement.grades[name]
    return figures
