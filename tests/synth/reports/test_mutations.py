"""Whatever happens to a report on its way, it gives the figures that stand in it or a ReportError."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import ReportError
from dse.synth import reports
from dse.synth.reports.text import NS

DATA = Path(__file__).parents[2] / "data" / "reports"
TEXTS = {path.name: path.read_text() for path in sorted(DATA.iterdir()) if path.suffix in (".rpt", ".xml")}
ORIGINALS = {name: reports.parse(name, text) for name, text in TEXTS.items()}
NAMES = st.sampled_from(sorted(TEXTS))
#: Taking one of two clocks out whole leaves a consistent report of a design with one clock.
ONE_CLOCK = st.sampled_from(sorted(set(TEXTS) - {"vivado_2019.2_timing_two_clocks.rpt"}))


def attempt(name: str, text: str) -> reports.Report | None:
    """The report, or None for a ReportError; any other exception fails the test."""
    try:
        return reports.parse(name, text)
    except ReportError as error:
        if not str(error).startswith(f"{name}: "):
            raise
        return None


def same_or_absent(name: str, report: reports.Report) -> bool:
    """Every figure is the original's, or unknown, or not there."""
    return all(figure.value in (None, ORIGINALS[name].value(figure.name)) for figure in report.figures.values())


@settings(max_examples=400, deadline=None)
@given(NAMES, st.floats(0, 1))
def test_a_truncated_report_gives_its_own_figures_or_an_error(name, share):
    """A tool that was killed leaves half a report; half a number is never taken for a number."""
    report = attempt(name, TEXTS[name][: int(share * len(TEXTS[name]))])
    assert report is None or same_or_absent(name, report)


@settings(max_examples=400, deadline=None)
@given(ONE_CLOCK, st.data())
def test_a_report_without_some_lines_gives_its_own_figures_or_an_error(name, data):
    """A lost line never moves a figure into the place of another."""
    lines = TEXTS[name].splitlines(keepends=True)
    first = data.draw(st.integers(0, len(lines) - 1))
    last = data.draw(st.integers(first, min(first + 3, len(lines) - 1)))
    report = attempt(name, "".join(lines[:first] + lines[last + 1 :]))
    assert report is None or same_or_absent(name, report)


def stands_in(figure: reports.Figure, report: reports.Report, text: str) -> bool:
    """Whether the figure's number stands in its line, in the unit that stands beside it or in the file's own."""
    if figure.value is None:
        return True
    line = text if figure.line is None else text.splitlines()[figure.line - 1]
    units = [NS[unit] for unit in re.findall(r"\b(ps|ns|us|ms|sec|s)\b", line)] or [1.0]
    words = [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", line)]
    if figure.name == "bram_18k":
        words += [2 * word for word in words] + [2 * a + b for a in words for b in words]
    if figure.name == "clock_estimated_ns" and (slack := report.value("wns_ns")) is not None:
        words += [word - slack for word in words]
    scales = units if figure.name.startswith("clock") else [1.0]
    return any(abs(word * scale - figure.value) < 1e-6 for word in words for scale in scales)


@settings(max_examples=600, deadline=None)
@given(NAMES, st.data())
def test_a_report_with_changed_characters_gives_figures_that_stand_in_it(name, data):
    """Characters lost, added or changed: each figure stands in the line that it names, in that line's unit."""
    text = TEXTS[name]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(st.sampled_from(["", " ", "0", "9", "-", "|", "+", "\n", ".", "n", "x", "<", "?", "µ"]))
        text = text[:at] + piece + text[at + data.draw(st.integers(0, 1)) :]
    report = attempt(name, text)
    assert report is None or all(stands_in(figure, report, text) for figure in report.figures.values())


@settings(max_examples=200, deadline=None)
@given(NAMES, NAMES, st.floats(0, 1), st.floats(0, 1))
def test_reports_run_into_one_another_give_figures_of_one_of_them(first, second, end, start):
    """Two runs that wrote one file at once: nothing is mixed up of numbers that stand in neither."""
    text = TEXTS[first][: int(end * len(TEXTS[first]))] + TEXTS[second][int(start * len(TEXTS[second])) :]
    report = attempt("mixed", text)
    assert report is None or all(stands_in(figure, report, text) for figure in report.figures.values())
