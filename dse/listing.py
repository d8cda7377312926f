"""The front as a table for people: the same columns and texts in the terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dse.export import Cell, figure, knob_order
from dse.metrics import Judge, Metric
from dse.record import Record
from dse.run import Run
from dse.view import Standing, View, coverage

#: What every latency and every count leaves out.
SOFTMAX = "Figures exclude softmax: the network ends in logits."
STREAMED = (
    "Latency of io_stream is what csynth states, with all layers at work at once; a streamed dense layer waits for all of its "
    "input. The upper bound of an estimate is without such overlap, and co-simulation measures it (`dse synth --cosim`)."
)
#: The states of `dse.view.STATES` as people say them.
STATE_WORDS = {
    "measured": "feasible",
    "infeasible": "over a limit",
    "unjudged": "without all figures",
    "pruned": "stopped early",
    "failed": "failed",
}
#: Units of time, the longest first.
UNITS = ((3600.0, "h"), (60.0, "min"), (1.0, "s"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title and unit ("" for knobs); `metric` is what its cells are figures of, if anything."""

    title: str
    unit: str = ""
    metric: Metric | None = None

    def text(self, cell: Cell) -> str:
        """A cell as people read it; "" where there is none."""
        if cell is None:
            return ""
        if isinstance(cell, bool) or not isinstance(cell, (int, float)):
            return str(cell)
        return f"{cell:g}" if self.metric is None else figure_text(self.metric, cell)


def figure_text(metric: Metric, value: float) -> str:
    """A figure as people read it, without its unit: 12,345 LUT, 0.9721, 62.5 ns."""
    if metric.whole and float(value).is_integer():
        return f"{value:,.0f}"
    if metric.unit == "fraction":
        return f"{value:.4f}"
    return f"{value:,.0f}" if abs(value) >= 10000 else f"{value:.4g}"


def title(metric: Metric) -> str:
    """A figure's name with its unit, unless it has none or the name says it: `latency_ns`, `lut`, `dsp [blocks]`."""
    name, unit = metric.name, metric.unit
    return name if not unit or name.endswith(f"_{unit}") or name == unit.lower() else f"{name} [{unit}]"


def duration_text(seconds: float) -> str:
    """Seconds, minutes or hours: 0.018 s, 5.7 min, 12 h."""
    scale, unit = next((row for row in UNITS if row[0] <= seconds), UNITS[-1])
    return f"{seconds / scale:.2g} {unit}" if seconds < 100 * scale else f"{seconds / scale:,.0f} {unit}"


@dataclass(frozen=True, slots=True)
class Listing:
    """Columns and rows of a table; `common` holds the knobs that are the same in all rows and need no column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    common: Mapping[str, Cell]

    @property
    def texts(self) -> list[list[str]]:
        """The cells as people read them."""
        return [[column.text(cell) for column, cell in zip(self.columns, row, strict=True)] for row in self.rows]


def front_listing(view: View) -> Listing:
    """The front, the best in the first objective first: trial, objectives, limited figures, knobs that differ."""
    limited = (limit.metric for limit in view.goals.limits)
    metrics = list(dict.fromkeys([*(objective.metric for objective in view.goals.objectives), *limited]))
    knobs = {name: [s.record.design.knobs.get(name) for s in view.front] for name in _knobs(view.front)}
    differ = [name for name, cells in knobs.items() if len(set(cells)) > 1]
    columns = [Column("trial"), *(Column(m.name, m.unit, m) for m in map(view.goals.metric, metrics))]
    columns += [Column(name) for name in differ]
    proof = [Column("as built")] if view.unproven else []
    rows = []
    for row, standing in enumerate(view.front):
        stated = [(name, standing.record.measurement(name, view.judge)) for name in metrics]
        figures: list[Cell] = [None if found is None else figure(name, found) for name, found in stated]
        rows.append((standing.record.trial, *figures, *(knobs[name][row] for name in differ)))
        if proof:
            rows[-1] += ("emulated" if standing.as_built else "not yet",)
    return Listing((*columns, *proof), tuple(rows), {n: cells[0] for n, cells in knobs.items() if n not in differ})


def footnotes(records: Iterable[Record]) -> list[str]:
    """What a reader of these records' figures has to know; trees have neither a softmax nor an IO type."""
    found = {record.effective.get("io_type") for record in records}
    return [SOFTMAX] * bool(found - {None}) + [STREAMED] * ("io_stream" in found)


def bounds_line(view: View) -> str:
    """How far off the front's figures may be by their own bounds, as shares of the figure; "" where none has any."""
    wide: dict[str, tuple[float, float]] = {}
    grades: dict[str, set[str]] = {}
    metrics = [*(objective.metric for objective in view.goals.objectives), *(limit.metric for limit in view.goals.limits)]
    for standing in view.front:
        for name in metrics:
            found = standing.record.measurement(name, view.judge)
            if found is None or name not in found.intervals or found.values[name] <= 0:
                continue
            low, high = (bound / found.values[name] for bound in found.intervals[name])
            least, most = wide.get(name, (low, high))
            wide[name] = min(least, low), max(most, high)
            grades.setdefault(name, set()).add(found.grades.get(name, ""))
    if not wide:
        return ""
    said = [f"{n} {a:.2g} to {b:.2g} times ({', '.join(sorted(grades[n] - {''}))})" for n, (a, b) in wide.items()]
    return f"A tool may state, by the widest bounds on this front: {'; '.join(said)}. One design's bounds: dse show DIR TRIAL."


def _knobs(standings: tuple[Standing, ...]) -> list[str]:
    return sorted({name for standing in standings for name in standing.record.design.knobs}, key=knob_order)


def coverage_lines(run: Run, seen: Judge) -> list[str]:
    """How many designs have figures of the judge `seen`, then of each other judge of the run."""
    found, total = coverage(run), len(run.records)
    lines = [f"{found.pop(seen, 0)} of {total} designs have figures of {seen.name}."]
    return lines + [f"Another judge: {count} of {total} have figures of {judge.name}." for judge, count in found.items()]


def headline(view: View) -> str:
    """One sentence on how far the search has come; where there is no front, why, and how near the nearest design is."""
    counts, trials = view.counts, len(view.standings)
    if view.front:
        front, feasible = len(view.front), len(view.feasible)
        told = f"{front} of {feasible} feasible designs on the front, {trials} trials finished."
        scored = view.scored
        if scored:
            emulated = sum(standing.emulated for standing in view.standings)
            told += f" {emulated:,} designs were emulated, {scored:,} scored by their float64 reference alone."
        open_ones = len(view.unproven)
        return told + (f" {open_ones} of them not emulated as built yet: the same `dse run` does it." if open_ones else "")
    if not trials:
        return "No trial has finished yet."
    if counts["failed"] == trials:
        return f"All {trials} trials failed; `dse show` tells why."
    nearest = view.nearest
    if nearest is not None:
        standing, limit, over = nearest
        return f"No feasible design: the nearest, trial {standing.record.trial}, violates {limit} by {100 * over:.3g} %."
    if counts["unjudged"]:
        return f"No feasible design: {view.judge.name} has not stated all figures of any design yet."
    return f"No feasible design: {counts['failed']} of {trials} trials failed, {counts['pruned']} were stopped early."
