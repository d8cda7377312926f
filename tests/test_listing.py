"""The front as people read it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build_run import build_run, goals, plain_record, write_run

from dse.goals import Limit, Objective
from dse.listing import SOFTMAX, STREAMED, Column, bounds_line, figure_text, footnotes, front_listing, headline, title
from dse.metrics import METRICS, Measurement, Source
from dse.view import view

TWO = goals((Objective("accuracy"), Objective("lut")), (Limit("lut", at_most=1000), Limit("ff", at_most=9)))


def test_the_listing_has_the_front_the_best_first(tmp_path):
    """Trial, objectives and every limited figure, in the order of the first objective."""
    records = [
        plain_record(0, accuracy=0.8, lut=100, ff=1),
        plain_record(1, accuracy=0.9, lut=500, ff=2),
        plain_record(2, accuracy=0.7, lut=200, ff=3),
    ]
    found = front_listing(view(write_run(tmp_path, records, what=TWO)))
    assert [column.title for column in found.columns] == ["trial", "accuracy", "lut", "ff", "reuse_factor"]
    assert found.rows == ((1, 0.9, 500, 2, 2), (0, 0.8, 100, 1, 1))
    assert found.texts == [["1", "0.9000", "500", "2", "2"], ["0", "0.8000", "100", "1", "1"]]


def test_knobs_that_never_differ_need_no_column(tmp_path):
    """They are said once; a knob that one design lacks differs."""
    knobs = [{"weight_bits.fc1": 4}, {}]
    records = [plain_record(n, accuracy=0.8, lut=9, ff=1, knobs=knobs[n]) for n in range(2)]
    found = front_listing(view(write_run(tmp_path, records, what=TWO)))
    assert found.common["activation_bits"] == 8
    assert "weight_bits.fc1" not in found.common
    assert [row[-2] for row in found.rows] == [4, None]
    assert found.texts[1][-2] == ""


def test_an_empty_front_has_columns_and_no_rows(tmp_path):
    """A heading is still right where there is nothing to list."""
    found = front_listing(view(write_run(tmp_path, [], what=TWO)))
    assert found.rows == ()
    assert [column.title for column in found.columns] == ["trial", "accuracy", "lut", "ff"]


def test_a_real_front_fills_every_figure(tmp_path):
    """Everything on a front has all objectives and limited figures."""
    found = front_listing(view(build_run(tmp_path)))
    assert len(found.rows) > 5
    assert all(cell is not None for row in found.rows for cell in row[:5])


def test_the_widest_bounds_of_the_front_are_said(tmp_path):
    """As shares of the figure, with the grades; a figure without bounds and a front without any are passed over."""
    records = []
    for trial, (accuracy, lut, bounds) in enumerate([(0.9, 200.0, (100.0, 300.0)), (0.8, 100.0, (80.0, 190.0))]):
        plain = plain_record(trial, accuracy=accuracy, lut=lut, ff=1)
        stated = [
            replace(m, intervals={"lut": bounds}, grades={"lut": "law"}) if "lut" in m.values else m for m in plain.measurements
        ]
        records.append(replace(plain, measurements=tuple(stated)))
    seen = view(write_run(tmp_path, records, what=TWO))
    assert "front: lut 0.5 to 1.9 times (law). One design's" in bounds_line(seen)
    bare = view(write_run(tmp_path / "bare", [plain_record(0, accuracy=0.8, lut=9, ff=1)], what=TWO))
    assert bounds_line(bare) == ""


def test_readers_are_told_what_these_figures_leave_out():
    """Networks end in logits; the latency of streamed ones needs a word more; trees have neither softmax nor IO type."""
    trees = plain_record(0, accuracy=0.8, lut=9, ff=1)
    parallel, streamed = (replace(trees, effective={"io_type": kind}) for kind in ("io_parallel", "io_stream"))
    assert footnotes([trees]) == []
    assert footnotes([trees, parallel]) == [SOFTMAX]
    assert footnotes([trees, streamed, parallel]) == [SOFTMAX, STREAMED]


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("lut", 12345, "12,345"),
        ("dsp", 0, "0"),
        ("accuracy", 0.97214, "0.9721"),
        ("accuracy", 1, "1.0000"),
        ("latency_ns", 62.5, "62.5"),
        ("latency_ns", 123456.7, "123,457"),
        ("wns_ns", -0.123456, "-0.1235"),
    ],
)
def test_figures_are_written_as_people_read_them(metric, value, text):
    """Counts whole with thousands apart, fractions to a hundredth of a percent, the rest to four digits."""
    assert figure_text(METRICS[metric], value) == text


def test_knobs_are_written_as_they_are():
    """Numbers short, words and truth values as words."""
    assert [Column("knob").text(cell) for cell in (0.30000000000000004, 8, "latency", True, None)] == [
        "0.3",
        "8",
        "latency",
        "True",
        "",
    ]


def test_titles_name_a_unit_once():
    """`latency_ns` and `lut` say their unit themselves."""
    assert [title(METRICS[name]) for name in ("latency_ns", "lut", "dsp", "accuracy")] == [
        "latency_ns",
        "lut",
        "dsp [blocks]",
        "accuracy [fraction]",
    ]


def test_it_is_said_how_many_designs_were_emulated(tmp_path):
    """Where some were scored by their float64 reference alone; a design that has both was emulated."""
    emulated = plain_record(0, accuracy=0.9, lut=500, ff=1)
    source = Source("foresee", "dse", "1", "reference")
    figures = Measurement(source, {"accuracy": 0.8})
    scored = [replace(plain_record(n, lut=900, ff=1), measurements=(figures, *emulated.measurements[1:])) for n in (1, 2)]
    both = replace(plain_record(3), measurements=(figures, *emulated.measurements))
    found = view(write_run(tmp_path / "front", [emulated, *scored, both], what=TWO))
    assert "2 designs were emulated, 2 scored by their float64 reference alone." in headline(found)
    assert "float64" not in headline(view(write_run(tmp_path / "all", [emulated], what=TWO)))
