"""The values that a knob may take."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.design import KNOBS
from dse.domains import RULES, Choice, Domain, Integers, Steps, check
from dse.errors import UsageError


@given(st.integers(-50, 50), st.integers(0, 60), st.integers(1, 9))
def test_integers_are_the_whole_numbers_that_the_step_meets(low, length, step):
    """low, low + step, ... as long as high is not passed; high itself where the step meets it."""
    high = low + length
    assert Integers(low, high, step).values == tuple(n for n in range(low, high + 1) if (n - low) % step == 0)
    assert Integers(low, high).values[-1] == high


@given(st.integers(-50, 50), st.integers(0, 40), st.sampled_from([1, 2, 4, 5, 10, 20, 100, 1000]))
def test_steps_are_exact_decimals(start, count, parts):
    """Steps(0, 0.9, 0.1) holds 0.3 and not 0.30000000000000004, and its last value: compared with exact fractions."""
    exact = [Fraction(start + i, parts) for i in range(count + 1)]
    found = Steps(start / parts, (start + count) / parts, 1 / parts)
    assert found.values == tuple(float(value) for value in exact)


def test_steps_stop_before_high_where_they_do_not_meet_it():
    """No value above high, and none closer to it than a step allows."""
    assert Steps(0, 1, 0.3).values == (0.0, 0.3, 0.6, 0.9)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Integers(5, 3), r"low to high .*, got \(5, 3, step=1\)"),
        (lambda: Integers(3, 5, 0), r"steps above 0, got \(3, 5, step=0\)"),
        (lambda: Integers(3, 5.0), r"whole numbers, got \(3, 5.0, step=1\); Steps takes others"),
        (lambda: Integers(False, 5), r"whole numbers, got \(False, 5, step=1\)"),
        (lambda: Steps(0, 1, -0.1), r"steps above 0, got \(0, 1, step=-0.1\)"),
        (lambda: Steps(0, float("nan"), 0.1), r"got \(0, nan, step=0.1\)"),
        (lambda: Steps(0, float("inf"), 0.1), r"got \(0, inf, step=0.1\)"),
        (Choice, "at least one value, got none"),
        (lambda: Choice([4, 6]), r"finite numbers, text, True or False; got \[4, 6\]"),
        (lambda: Choice(None), "got None"),
        (lambda: Choice(1.0, float("nan")), "got nan"),
        (lambda: Choice(0, True, "auto"), r"not mix numbers with True and False, which equal 1 and 0; got \(0, True, 'auto'\)"),
    ],
)
def test_a_domain_without_sense_is_refused(make, said):
    """Empty, endless or unreadable: the message says the rule and what was got."""
    with pytest.raises(UsageError, match=said):
        make()


def test_a_value_named_twice_is_one_value():
    """The size of a space counts designs, not words; the order is the user's."""
    assert Choice(3, 1, 3, 1.0).values == (3, 1)
    assert Choice(0.3, 0.1 + 0.2).values == (0.3,)


def test_numbers_have_an_order_and_text_has_none():
    """The sampler may think between numbers; True and False are no numbers."""
    assert Integers(1, 3).ordered
    assert Choice(0.5, 8).ordered
    assert not Choice("latency", "resource").ordered
    assert not Choice(True, False).ordered
    assert not Choice(4, "none").ordered
    assert Choice("ternary", 4, 6).ordered
    with pytest.raises(UsageError, match="activation_bits must be a whole number from 2 to 32, got 'ternary'"):
        check("activation_bits", Choice("ternary", 4))


def test_every_knob_has_a_rule():
    """A knob without one could take any value without a word."""
    assert set(RULES) == set(KNOBS)


GOOD = {
    "weight_bits": (2, "ternary", 32), "activation_bits": (2, 32), "input_bits": (2, 32), "sparsity": (0, 0.0, 0.999),
    "reuse_factor": (1, 4096), "clock_ns": (0.1, 5), "strategy": ("latency", "resource_unrolled"), "io_type": ("io_stream",),
    "weight_width": (2, 32), "result_width": (2, 32), "input_width": (2, 32), "weight_integer": (-32, 0, 32),
    "result_integer": (-1, 6), "input_integer": (0, 6), "rounding": ("TRN", "RND_CONV"), "saturation": ("WRAP", "SAT"),
}  # fmt: skip
BAD = {
    "weight_bits": (1, 33, 4.0, "4", "Ternary", True), "activation_bits": (1, 33, 4.5), "input_bits": (0, -3, True),
    "sparsity": (-0.1, 1, 1.0, "0.5", False), "reuse_factor": (0, -1, 2.0, "1"), "clock_ns": (0, -5, "5", True),
    "strategy": ("Latency", "da", 1), "io_type": ("io_serial", True),
    "weight_width": (1, 33, 4.0), "result_width": (0, "8"), "input_width": (1, True), "weight_integer": (-33, 33, 0.5),
    "result_integer": (40,), "input_integer": ("2",), "rounding": ("AP_TRN", 1), "saturation": ("wrap", "SATURATE"),
}  # fmt: skip


@pytest.mark.parametrize(("knob", "value"), [(knob, value) for knob, values in GOOD.items() for value in values])
def test_legal_values_pass(knob, value):
    """Both ends of every range."""
    check(knob, Domain((value,)))
    check(f"{knob}.fc1", Domain((value,)))


@pytest.mark.parametrize(("knob", "value"), [(knob, value) for knob, values in BAD.items() for value in values])
def test_illegal_values_are_refused_with_the_rule(knob, value):
    """Just beyond the ends, of the wrong kind, and True where a number is wanted: the knob, the rule, the value."""
    with pytest.raises(UsageError) as told:
        check(f"{knob}.fc1", Domain((value,)))
    assert str(told.value) == f"{knob}.fc1 must be {RULES[knob][0]}, got {value!r}."


def test_architecture_knobs_are_the_studys_own():
    """Their legal values are known to the model function alone."""
    check("architecture.activation", Choice("relu", 0, -3.5))
