"""A view is in its address, whatever else an address may hold."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from build_run import JUDGE, PART, RESOURCES, VITIS, goals
from hypothesis import given
from hypothesis import strategies as st

from dashboards.state import State, read_budget, under
from dse.errors import UsageError
from dse.goals import Limit, Objective
from dse.metrics import METRICS
from dse.parts import part

TEXTS = st.text(max_size=40)
NAMES = st.sampled_from(sorted(METRICS))
STATES = st.builds(
    State,
    run=TEXTS,
    judge=TEXTS,
    part=TEXTS,
    tab=st.sampled_from(["front", "design", "search"]),
    x=st.just("") | NAMES,
    y=st.just("") | NAMES,
    z=st.just("") | NAMES,
    xscale=st.sampled_from(["", "log", "linear"]),
    color=TEXTS,
    symbol=TEXTS,
    best=st.just("") | NAMES,
    trial=st.none() | st.integers(0, 10**12),
    other=st.none() | st.integers(0, 10**12),
    sort=TEXTS,
    filter=TEXTS,
    budgets=st.dictionaries(NAMES, TEXTS, max_size=4),
)


@given(STATES)
def test_an_address_brings_the_state_back(state):
    """Whatever stands in it: ampersands, tags, per cent signs, no text at all."""
    assert State.read(state.query) == state


@given(STATES)
def test_controls_give_the_state(state):
    """The page's controls, as the browser sends them."""
    controls = {f.name: getattr(state, f.name) for f in fields(state)}
    assert State.of(controls) == state


def test_the_pages_own_choice_has_a_short_address():
    """Nothing chosen, nothing in the address; an emptied budget is a choice."""
    assert State().query == ""
    assert State(budgets={"lut": ""}).query == "?budget.lut="
    assert State.read("?budget.lut=").budgets == {"lut": ""}


@given(st.text(max_size=200))
def test_no_address_is_too_odd(text):
    """Anything gives a state; what makes no sense is left out."""
    found = State.read(text)
    assert State.read(found.query) == found


def test_what_makes_no_sense_is_passed_over():
    """Unknown figures, tabs and trials, as an old link or a hostile one may hold."""
    query = "?x=<b>&tab=../../etc&trial=1e9&other=-1&xscale=cubic&budget.a%20b=3&y=lut&constructor=1"
    assert State.read(query) == State(y="lut")


@pytest.mark.parametrize(
    ("text", "metric", "limit"),
    [
        ("5000", "lut", Limit("lut", at_most=5000)),
        ("5,000", "lut", Limit("lut", at_most=5000)),
        (" <= 5k ", "lut", Limit("lut", at_most=5000)),
        ("1.5M", "lut", Limit("lut", at_most=1.5e6)),
        ("40 %", "lut", Limit("lut", at_most_percent=40)),
        ("0.95", "accuracy", Limit("accuracy", at_least=0.95)),
        ("95%", "accuracy", Limit("accuracy", at_least=0.95)),
        ("1e2", "latency_ns", Limit("latency_ns", at_most=100)),
        ("0", "dsp", Limit("dsp", at_most=0)),
        (">= -2.5", "accuracy", Limit("accuracy", at_least=-2.5)),
        ("", "lut", None),
        ("  ", "lut", None),
    ],
)
def test_budgets_are_read_as_people_write_them(text, metric, limit):
    """Thousands, thousands separated, per cent of the part or of one."""
    assert read_budget(text, metric, RESOURCES, most=metric != "accuracy") == limit


@pytest.mark.parametrize("text", ["abc", "5 %%", "--5", "nan", "inf", "1e999", "<script>", "5 % of it", "12 34"])
def test_what_is_no_budget_is_refused_with_advice(text):
    """And quoted briefly."""
    with pytest.raises(UsageError, match=r"lut: .*(write 5000, or 40 %|too large)"):
        read_budget(text, "lut", RESOURCES, most=True)
    with pytest.raises(UsageError, match="per cent only of"):
        read_budget("5 %", "latency_ns", RESOURCES, most=True)


def test_a_budget_takes_the_place_of_the_studys_limits_on_its_metric():
    """Others stay; emptied, there is none; the interval's end still counts where the study wants it."""
    base = goals(limits=(Limit("lut", at_most=9, confidence=0.9), Limit("accuracy", at_least=0.9)))
    found, wrong = under(State(budgets={"lut": "5000", "dsp": "10 %"}), base, VITIS)
    assert set(found.limits) == {
        Limit("lut", at_most=5000, confidence=0.9),
        Limit("accuracy", at_least=0.9),
        Limit("dsp", at_most_percent=10),
    }
    assert (found.judge, found.objectives, wrong) == (VITIS, base.objectives, {})
    freed, _ = under(State(budgets={"lut": "", "accuracy": ""}), base, JUDGE)
    assert freed.limits == ()


def test_a_budget_on_a_figure_of_another_study_counts_for_nothing():
    """An address may name what this study does not know."""
    found, wrong = under(State(budgets={"beauty": "3"}), goals(), JUDGE)
    assert (found, wrong) == (goals(), {})


def test_another_part_brings_other_resources():
    """Percentages follow; an unknown part is told of and the study's counts."""
    base = goals(limits=(Limit("lut", at_most_percent=50),))
    found, _ = under(State(part="xcu250-figd2104-2L-e"), base, JUDGE)
    assert found.resources == part("xcu250").resources
    assert found.limits[0].bound(found.resources) == part("xcu250").lut / 2
    found, wrong = under(State(part="<b>nonsense"), base, JUDGE)
    assert found.resources == base.resources
    assert "not in the table" in wrong["part"]
    assert PART  # the run's own


def test_a_budget_that_cannot_be_read_leaves_the_studys_limit():
    """And says what is wrong with it."""
    base = goals()
    found, wrong = under(State(budgets={"lut": "many"}), base, JUDGE)
    assert found.limits == base.limits
    assert "lut" in wrong


def test_the_objectives_direction_decides_which_way_a_budget_bounds():
    """Where a study maximises DSP, a budget on DSP is a lower bound."""
    base = goals((Objective("dsp", "max"),), ())
    found, _ = under(State(budgets={"dsp": "5"}), base, JUDGE)
    assert found.limits == (Limit("dsp", at_least=5),)
    assert replace(found, limits=()) == replace(base, limits=())
