"""The table's rows: filtered, sorted and cut into pages as plain Python does it."""

from __future__ import annotations

import math

import pytest
from build_run import JUDGE, build_run, goals, plain_record, write_run

from dashboards.sight import look
from dashboards.table import FRONT, PAGE, cells, chosen, columns_of, page, sorted_rows
from dse.errors import UsageError
from dse.listing import STATE_WORDS, figure_text
from dse.metrics import METRICS
from dse.view import view


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return view(build_run(tmp_path_factory.mktemp("runs") / "digits", 120))


@pytest.fixture(scope="module")
def sight(seen):
    return look(seen)


def trials(sight, rows):
    return [int(sight.columns.trials[row]) for row in rows]


FILTERS = {
    "": lambda s: True,
    "lut<5000": lambda s: (s.record.value("lut", JUDGE) or math.inf) < 5000,
    "lut < 5000 accuracy>=95%": lambda s: (
        (s.record.value("lut", JUDGE) or math.inf) < 5000 and s.record.value("accuracy") >= 0.95
    ),
    "strategy=latency": lambda s: s.record.design.knobs["strategy"] == "latency",
    "strategy!=latency weight_bits>8": lambda s: (
        s.record.design.knobs["strategy"] != "latency" and s.record.design.knobs["weight_bits"] > 8
    ),
    "resource": lambda s: s.record.design.knobs["strategy"] == "resource",
    "front": lambda s: s.on_front,
    "failed": lambda s: s.state == "failed",
    "state=front": lambda s: s.on_front,
    "trial=17": lambda s: s.record.trial == 17,
    "17": lambda s: s.record.trial == 17,
    "reuse_factor==32 io_stream": lambda s: (
        s.record.design.knobs["reuse_factor"] == 32 and s.record.design.knobs["io_type"] == "io_stream"
    ),
    'io_type="io_stream"': lambda s: s.record.design.knobs["io_type"] == "io_stream",
    "weight_bits.output>6": lambda s: s.record.design.knobs.get("weight_bits.output", s.record.design.knobs["weight_bits"]) > 6,
}


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_leaves_what_its_terms_say(seen, sight, text):
    """All terms must hold; a figure that nobody has stated holds in none."""
    expected = [s.record.trial for s in seen.standings if FILTERS[text](s)]
    assert trials(sight, chosen(sight, text)) == expected
    assert expected


def test_the_lasso_narrows_what_the_filter_leaves(seen, sight):
    """Trials that are in both."""
    lasso = [3, 5, 8, 13, 21, 9999]
    expected = [
        s.record.trial for s in seen.standings if s.record.trial in lasso and s.record.design.knobs["strategy"] == "latency"
    ]
    assert trials(sight, chosen(sight, "latency", lasso)) == expected
    assert trials(sight, chosen(sight, "", [])) == []


@pytest.mark.parametrize("text", ["beauty<3", "strategy<3", "lut<many", "state>1"])
def test_a_filter_that_makes_no_sense_says_so(sight, text):
    """And names the columns there are, or what is wrong."""
    with pytest.raises(UsageError):
        chosen(sight, text)


@pytest.mark.parametrize("name", ["lut", "accuracy", "trial", "reuse_factor", "weight_bits.output", "strategy", "state"])
def test_sorting_is_by_value_and_what_is_empty_stays_last(sight, name):
    """Both ways, numbers as numbers, words by the alphabet."""
    every = chosen(sight, "")
    texts = {row: page(sight, every[every == row], 0).texts[0][columns_of(sight).index(name)] for row in every}
    for order in (name, f"-{name}"):
        rows = sorted_rows(sight, every, order)
        assert sorted(rows) == sorted(every)
        numbers = cells(sight, name)
        values = [texts[row] if numbers is None else float(numbers[row]) for row in rows]
        filled = [v for v in values if v != "" and not (isinstance(v, float) and math.isnan(v))]
        assert values[: len(filled)] == filled
        assert filled == sorted(filled, reverse=order.startswith("-"))


def test_left_alone_the_front_comes_first_and_the_best_of_it_at_the_top(seen, sight):
    """Then what is feasible, then the rest; also where the order asked for is by no column."""
    for order in ("", "beauty"):
        rows = sorted_rows(sight, chosen(sight, ""), order)
        count = len(seen.front)
        assert set(trials(sight, rows[:count])) == {s.record.trial for s in seen.front}
        best = max(s.record.value("accuracy") for s in seen.front)
        assert sight.columns.figure("accuracy")[rows[0]] == best


def test_pages_hold_every_row_once(seen, sight):
    """In order; a page beyond the last is the last."""
    rows = sorted_rows(sight, chosen(sight, ""), "lut")
    first = page(sight, rows, 0)
    pages = [page(sight, rows, number) for number in range(first.pages)]
    assert [row for one in pages for row in one.rows] == list(rows)
    assert all(len(one.rows) == PAGE for one in pages[:-1])
    assert page(sight, rows, 999).number == first.pages - 1
    assert page(sight, rows, -3).number == 0


def test_cells_are_texts_as_everywhere(seen, sight):
    """Figures with their decimals, what nobody has stated empty, knobs that never differ without a column."""
    names = columns_of(sight)
    assert "input_bits" not in names
    every = [page(sight, chosen(sight, ""), n) for n in range(page(sight, chosen(sight, ""), 0).pages)]
    for row, texts in (pair for one in every for pair in zip(one.rows, one.texts, strict=True)):
        standing = seen.standings[row]
        cell = dict(zip(names, texts, strict=True))
        lut = standing.record.value("lut", JUDGE)
        assert cell["lut"] == ("" if lut is None else figure_text(METRICS["lut"], lut))
        assert cell["state"] == (FRONT if standing.on_front else STATE_WORDS[standing.state])
        assert cell["strategy"] == standing.record.design.knobs["strategy"]


def test_an_empty_run_has_one_empty_page(tmp_path):
    """Nothing to show is no error."""
    empty = look(view(write_run(tmp_path, [])))
    found = page(empty, sorted_rows(empty, chosen(empty, "front"), ""), 0)
    assert (found.rows, found.pages, found.left) == ((), 1, 0)
    for order in ("lut", "-state", "state"):
        assert len(sorted_rows(empty, chosen(empty, ""), order)) == 0


def test_a_knob_of_words_and_numbers_sorts_numbers_first(tmp_path):
    """As `marks.order` does."""
    values = ["b", 3, "a", 1]
    records = [plain_record(n, accuracy=0.95, knobs={"architecture.k": value}) for n, value in enumerate(values)]
    mixed = look(view(write_run(tmp_path, records, what=goals(limits=()))))
    rows = sorted_rows(mixed, chosen(mixed, ""), "architecture.k")
    assert [values[row] for row in rows] == [1, 3, "a", "b"]
