"""Fixed-point arithmetic against exact rational numbers."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dse.fixed import INTEGER_BITS, TERNARY_WEIGHTS, Quantizer, fit_quantizer, integer_bits, quantise
from dse.network import ROUNDING, SATURATION, FixedType

MODES = [mode for mode in SATURATION if mode != "WRAP_SM"]

NEAREST = {
    "RND": lambda q: math.floor(q + Fraction(1, 2)),  # ties to plus infinity
    "RND_MIN_INF": lambda q: math.ceil(q - Fraction(1, 2)),
    "RND_ZERO": lambda q: math.ceil(q - Fraction(1, 2)) if q > 0 else math.floor(q + Fraction(1, 2)),
    "RND_INF": lambda q: math.floor(q + Fraction(1, 2)) if q > 0 else math.ceil(q - Fraction(1, 2)),
    "RND_CONV": round,  # ties to even
    "TRN": math.floor,
    "TRN_ZERO": math.trunc,
}


def exact(value, to):
    """AMD UG1399's tables of quantisation and overflow modes, in whole steps of exact rational numbers."""
    step = Fraction(2) ** (to.integer - to.width)
    steps = NEAREST[to.rounding](Fraction(value) / step)
    low, high = (-(2 ** (to.width - 1)), 2 ** (to.width - 1) - 1) if to.signed else (0, 2**to.width - 1)
    if not low <= steps <= high or (to.saturation == "SAT_SYM" and to.signed and to.width > 1 and steps == low):
        match to.saturation:
            case "SAT":
                steps = min(max(steps, low), high)
            case "SAT_SYM":
                steps = high if steps > high else (-high if to.signed and to.width > 1 else low)
            case "SAT_ZERO":
                steps = 0
            case "WRAP":
                steps = (steps - low) % 2**to.width + low
    return steps * step


types = st.builds(
    FixedType, st.integers(1, 32), st.integers(-12, 44), st.booleans(), st.sampled_from(ROUNDING), st.sampled_from(MODES)
)
#: In half steps, at and just beside them: where rounding modes part.
places = st.tuples(st.integers(-(2**50), 2**50) | st.integers(-70, 70), st.sampled_from([-1, 0, 1]))


def normal(x):
    """The same without what is too small for float64 to hold exactly, which `quantise` says is no input."""
    return [value if abs(value) > sys.float_info.min else 0.0 for value in x]


@given(types, st.lists(places, min_size=1, max_size=8))
@example(FixedType(8, 8, True, "RND_MIN_INF", "SAT"), [(-1, 1)])  # just above -1/2
@example(FixedType(8, 8, True, "RND_INF", "SAT"), [(-1, 1), (1, -1)])
def test_casts_at_and_beside_half_steps_are_exact(to, found):
    """All rounding and overflow modes, widths 1 to 32, signed and not: equal to exact rational arithmetic."""
    halves = [math.ldexp(count, to.integer - to.width - 1) for count, _ in found]
    x = [math.nextafter(half, side * math.inf) if side else half for half, (_, side) in zip(halves, found, strict=True)]
    x = normal(x)
    assert [Fraction(y) for y in quantise(np.array(x), to)] == [exact(value, to) for value in x]


@given(types, st.lists(st.floats(-1, 1), min_size=1, max_size=8), st.integers(-40, 51))
@example(FixedType(1, 2, False, "TRN", "WRAP"), [-5e-324], -1)
@example(FixedType(1, 32, True, "TRN", "WRAP"), [-sys.float_info.min * 2], -1)
def test_casts_of_any_number_are_exact(to, found, scale):
    """From far below one step to 2**51 steps."""
    x = normal([math.ldexp(value, scale + to.integer - to.width) for value in found])
    assert [Fraction(y) for y in quantise(np.array(x), to)] == [exact(value, to) for value in x]


@given(types, st.lists(places, min_size=1, max_size=8))
def test_a_cast_changes_nothing_that_fits(to, found):
    """What one cast has made the next one keeps, and all of it lies in the type's range on whole steps."""
    x = np.array([math.ldexp(count, to.integer - to.width - 1) for count, _ in found])
    y = quantise(x, to)
    assert np.array_equal(quantise(y, to), y)
    assert ((to.low <= y) & (y <= to.high)).all()
    assert np.array_equal(np.rint(y / to.step), y / to.step)


@given(st.integers(1, 8), st.booleans(), st.sampled_from(ROUNDING), st.sampled_from(MODES))
def test_every_value_of_a_type_is_kept(width, signed, rounding, saturation):
    """All 2**width codes come back; SAT_SYM alone has no lowest one, but for a single bit."""
    to = FixedType(width, 2, signed, rounding, saturation)
    codes = np.arange(to.low / to.step, to.high / to.step + 1)
    assert len(codes) == 2**width
    values = codes * to.step
    kept = values[1:] if saturation == "SAT_SYM" and signed and width > 1 else values
    assert np.array_equal(quantise(kept, to), kept)


def test_a_cast_keeps_the_shape_and_leaves_its_input_alone():
    """Arrays of any shape, lists and single numbers; float64 whatever comes in."""
    x = np.array([[0.3, -0.3], [5.0, -5.0]], dtype=np.float32)
    before = x.copy()
    y = quantise(x, FixedType(4, 2, True, "RND", "SAT"))
    assert (y.shape, y.dtype) == ((2, 2), np.float64)
    assert y.tolist() == [[0.25, -0.25], [1.75, -2.0]]
    assert np.array_equal(x, before)
    assert float(quantise(0.3, FixedType(4, 2))) == 0.25


@pytest.mark.parametrize(
    ("to", "said"),
    [
        (FixedType(8, 4, True, "TRN", "WRAP_SM"), "overflow mode WRAP_SM is not supported; use WRAP, SAT"),
        (FixedType(8, 4, True, "ROUND", "SAT"), "rounding mode ROUND is not known; use TRN, TRN_ZERO, RND"),
    ],
)
def test_a_mode_that_is_not_known_is_refused(to, said):
    """Another mode's values would be wrong without a word."""
    with pytest.raises(ValueError, match=said):
        quantise(np.zeros(3), to)


@given(st.integers(2, 32), st.integers(0, 8), st.booleans())
def test_a_quantisers_type_holds_the_values_that_qkeras_makes(bits, integer, signed):
    """quantized_bits(bits, integer): -2**integer ... 2**integer - step, the sign in bits; quantized_relu: from 0."""
    to = Quantizer(bits, integer, signed).type
    step = Fraction(2) ** (integer - bits + signed)
    assert Fraction(to.step) == step
    assert Fraction(to.low) == (-(2**integer) if signed else 0)
    assert Fraction(to.high) == 2**integer - step
    assert (to.width, to.rounding, to.saturation) == (bits, "RND_CONV", "SAT")


def test_quantised_values_are_those_of_qkeras():
    """Ternary weights are cut at QKeras' 0.33 in float32, others rounded half to even within their type."""
    x = np.float32([0.33, np.nextafter(np.float32(0.33), np.float32(0)), -0.33, -0.1, 0.0, 7.5])
    assert TERNARY_WEIGHTS.values(x).tolist() == [1, 0, -1, 0, 0, 1]
    assert TERNARY_WEIGHTS.type == FixedType(2, 2, True, "RND_CONV", "SAT")
    assert Quantizer(4, 0).values(np.float32([0.0625, 0.1875, 3.0])).tolist() == [0.0, 0.25, 0.875]


def squared_error(values, choice):
    return sum((exact(value, choice.type) - Fraction(value)) ** 2 for value in values)


@given(st.lists(st.integers(-1200, 1200), min_size=1, max_size=12), st.integers(2, 12), st.booleans(), st.integers(0, 6))
def test_fitted_integer_bits_are_the_best_there_are(counts, bits, signed, scale):
    """Against the exact error of every choice with a fraction bit; ties go to the finer steps."""
    values = [count / 2**scale for count in counts]
    choices = [Quantizer(bits, integer, signed) for integer in INTEGER_BITS if bits - signed - integer >= 1]
    best = min(choices, key=lambda choice: (squared_error(values, choice), choice.integer))
    assert fit_quantizer(np.array(values), bits, signed=signed) == best


def test_fitted_quantisers_by_hand():
    """Weights within 1 need no integer bit, 3.5 needs two; a ReLU's negative values are gone anyway."""
    assert fit_quantizer(np.array([0.5, -0.9]), 8, signed=True) == Quantizer(8, 0)
    assert fit_quantizer(np.array([3.5, -0.5]), 8, signed=True) == Quantizer(8, 2)
    assert fit_quantizer(np.array([[3.5], [-100.0]]), 8, signed=False) == Quantizer(8, 2, signed=False)
    assert fit_quantizer(np.zeros(5), 8, signed=True) == Quantizer(8, 0)


@given(st.integers(2, 12), st.booleans())
def test_at_least_one_fraction_bit_stays(bits, signed):
    """Huge values do not push the last one out: without any, hls4ml drops the rounding."""
    assert fit_quantizer(np.array([1e6, 3e6]), bits, signed=signed).type.fraction >= 1


arrays = st.lists(st.floats(-1000, 1000, width=32).filter(lambda v: v == 0 or abs(v) > 1e-3), min_size=1, max_size=30).map(
    np.array
)


@given(arrays, st.integers(3, 24))
def test_covering_integer_bits_are_as_few_as_hold_all_values(values, width):
    """Both ends; with one bit fewer something is beyond. Of nothing but zeros any type holds all."""
    bits = integer_bits(values, width, covering=True)
    kind, less = FixedType(width, bits), FixedType(width, bits - 1)
    assert kind.low <= values.min()
    assert values.max() <= kind.high
    if np.any(values):
        assert values.min() < less.low or values.max() > less.high


@given(arrays, st.integers(3, 12))
def test_fitted_integer_bits_are_no_worse_than_those_that_hold_all_values(values, width):
    """Cutting off what is rare may pay; the error is never larger than without."""

    def error(bits):
        kind = FixedType(width, bits, rounding="RND_CONV", saturation="SAT")
        return np.mean((quantise(values, kind) - values) ** 2)

    fitted = integer_bits(values, width, covering=False)
    assert fitted <= integer_bits(values, width, covering=True)
    assert error(fitted) <= error(integer_bits(values, width, covering=True))


def test_a_rare_large_value_is_cut_off_for_finer_steps():
    """A thousand values below 1 and one of 3: with 4 bits their steps count for more."""
    values = np.append(np.linspace(-0.9, 0.9, 1000), 3.0)
    assert integer_bits(values, 4, covering=True) == 3
    assert integer_bits(values, 4, covering=False) < 3
    assert integer_bits(np.zeros(3), 8, covering=False) == 1
