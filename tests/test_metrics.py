"""Figures: known names, finite numbers, and who said them."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from strategies import figures, measurements

from dse.errors import UsageError
from dse.metrics import LEVELS, METRICS, Judge, Measurement, Metric, Score, Source, check_values, metric

SOURCE = Source("synthesize", "estimate", "law-1", "estimated")
JUDGE = Judge("vitis", "Vitis HLS", "2023.2", "hls", "xc7z020clg400-1", 5.0)


#: Units of things that are counted.
WHOLE = ("rows", "blocks", "LUT", "FF", "CARRY4", "18-kbit blocks", "cycles", "stages", "0 or 1")


def test_every_metric_says_what_it_is():
    """Name, unit, direction and meaning; units of time and cycles end the name, counts are whole."""
    for name, row in METRICS.items():
        assert row.name == name
        assert row.meaning
        assert row.sealed == (name.endswith("_test") or "_test_" in name)
        assert row.unit
        assert row.better in ("max", "min", "")
        assert name.endswith(f"_{row.unit}") == (row.unit in ("ns", "cycles", "units"))
        assert row.whole == (row.unit in WHOLE)


def test_the_table_of_metrics_cannot_be_changed():
    """A study that adds a metric on the side would make records that nobody else can read."""
    with pytest.raises(TypeError):
        METRICS["mine"] = METRICS["lut"]


def test_an_unknown_metric_is_named_with_the_known_ones():
    """What is wanted may be spelt otherwise."""
    assert metric("lut").unit == "LUT"
    with pytest.raises(UsageError, match=r"metric must be one of accuracy, .*lut, .*; got 'luts'"):
        metric("luts")


@given(figures)
def test_checked_values_are_the_same_values_in_order_of_name(values):
    """A copy: what the caller does to his own afterwards does not count."""
    before = dict(values)
    found = check_values(values)
    values["lut"] = -1
    assert found == before
    assert list(found) == sorted(before)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), True, None, "12", 1j])
def test_a_figure_is_a_finite_number(value):
    """NaN would compare false with every limit and so keep them all; True is no count."""
    for broken in ({"values": {"lut": value}}, {"values": {}, "layers": {"fc1": {"lut": value}}}):
        with pytest.raises(ValueError, match="lut must be a finite number, got "):
            Measurement(SOURCE, **broken)


@pytest.mark.parametrize("pair", [(float("nan"), 1), (1, float("nan")), (0, float("inf")), (-float("inf"), 0)])
def test_both_bounds_of_an_interval_are_finite(pair):
    """The lower one as well as the upper one."""
    with pytest.raises(ValueError, match="lut must be a finite number"):
        Measurement(SOURCE, {"lut": 1}, intervals={"lut": pair})


def test_an_interval_has_its_lower_bound_first():
    """Turned round it would contain nothing; a single point is an interval."""
    with pytest.raises(ValueError, match=r"the interval of lut must have its lower bound first, got \(3, 2\)"):
        Measurement(SOURCE, {"lut": 2}, intervals={"lut": (3, 2)})
    assert Measurement(SOURCE, {"lut": 2}, intervals={"lut": (2, 2)}).intervals == {"lut": (2, 2)}


@pytest.mark.parametrize("part", ["values", "layers", "intervals"])
def test_an_unknown_name_is_refused_in_every_part(part):
    """`luts` beside `lut` would be a figure that no view ever shows."""
    found = {"values": {"luts": 1}, "layers": {"fc1": {"luts": 1}}, "intervals": {"luts": (1, 2)}}
    with pytest.raises(ValueError, match="'luts' is not a metric; known: accuracy, "):
        Measurement(SOURCE, **{"values": {}, part: found[part]})


def test_a_measurement_says_what_its_own_figures_are():
    """A figure of the study's own is known by the measurement that defines it, and by no other."""
    recall = Metric("recall", "fraction", "max", "positives that were found")
    found = Measurement(SOURCE, {"recall": 0.5, "lut": 3}, own=(recall,))
    assert found.metric("recall") == recall
    assert found.metric("lut") == METRICS["lut"]
    assert Measurement.from_json(json.loads(json.dumps(found.as_json()))) == found
    with pytest.raises(ValueError, match="'recall' is not a metric; known: accuracy, "):
        Measurement(SOURCE, {"recall": 0.5})
    with pytest.raises(ValueError, match="recall must be a finite number, got nan"):
        Measurement(SOURCE, {"recall": float("nan")}, own=(recall,))


@pytest.mark.parametrize("name", ["accuracy", "Recall", "a b", "recall_test", "rows_n", "x_float", "", "recall.1", None])
def test_a_scores_name_can_stand_in_a_table(name):
    """Names of known figures and their variants are taken; points and spaces would break columns."""
    with pytest.raises(UsageError, match="a score's name must be lower-case words"):
        Score(name, max, "max", "anything")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"function": 3}, "score recall: it needs a function of outputs and y, got 3"),
        ({"better": "up"}, 'score recall: better must be "max", "min" or "", got \'up\''),
        ({"meaning": ""}, "score recall: meaning and unit must be text, and the meaning a few words"),
        ({"unit": None}, "score recall: meaning and unit must be text"),
    ],
)
def test_a_score_is_checked_where_it_is_written(changes, said):
    """Direction and meaning are what readers of records have instead of the study file."""
    with pytest.raises(UsageError, match=said):
        Score(**{"name": "recall", "function": max, "better": "max", "meaning": "found", **changes})


@given(measurements)
def test_a_measurement_comes_back_from_its_json(found):
    """Source, judge, layers, intervals and grades too; what is empty is left out of the text."""
    text = json.dumps(found.as_json(), allow_nan=False)
    assert Measurement.from_json(json.loads(text)) == found
    assert set(found.as_json()) == {"source", "values"} | {
        name for name in ("judge", "layers", "intervals", "grades") if getattr(found, name)
    }


def test_a_source_has_a_known_level():
    """An estimate that calls itself something else could pass for a measurement."""
    assert [Source("s", "t", "1", level).level for level in LEVELS] == list(LEVELS)
    with pytest.raises(ValueError, match=r"level must be one of .*, got 'measured'"):
        Source("s", "t", "1", "measured")


@pytest.mark.parametrize("field", [f.name for f in fields(Judge)])
def test_judges_that_differ_in_anything_have_different_names(field):
    """One front, one judge: the name on a picture tells any two apart, a swept clock from every fixed one."""
    other = {"clock_ns": 3.3, "level": "netlist"}.get(field, "other")
    assert replace(JUDGE, **{field: other}).name != JUDGE.name
    assert replace(JUDGE, clock_ns=None).name not in (JUDGE.name, replace(JUDGE, **{field: other}).name)


def test_a_judges_name_says_all_of_it():
    """One line for tables and captions."""
    assert JUDGE.name == "vitis: Vitis HLS 2023.2 (hls, xc7z020clg400-1, 5 ns)"
    assert replace(JUDGE, clock_ns=None, calibration="mine").name == (
        "vitis: Vitis HLS 2023.2 (hls, xc7z020clg400-1, clock swept, calibrated: mine)"
    )
