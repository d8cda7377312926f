"""Counting constants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.network import FixedType
from dse.synth.estimate.constants import TABLE_BITS, constants_of, digits_of, widths_of


def naive_digits(value):
    """Digits of the non-adjacent form by its definition (Reitwiesner 1960)."""
    rest, digits = abs(value), 0
    while rest:
        if rest % 2:
            rest -= 2 - rest % 4
            digits += 1
        rest //= 2
    return digits


def test_signed_digits_agree_with_the_definition():
    """Oracle: the recoding, one value at a time."""
    values = np.arange(-4096, 4096)
    assert digits_of(values).tolist() == [naive_digits(int(value)) for value in values]


def test_widths_by_hand():
    """Positive constants are unsigned, negative ones two's complement: 11 needs 4 bits, -11 and 22 five, -8 four."""
    assert widths_of(np.array([0, 1, 11, -11, 22, -8, 127, -128])).tolist() == [0, 1, 4, 5, 5, 4, 7, 8]


def test_a_matrix_by_hand():
    """Equal constants are counted once per input; 7 and 5 have two digits, 11 has three, 8 and -1 one."""
    weights = np.array([[7, 7, 11, 0], [5, -1, 11, 8]]) / 16
    found = constants_of(weights, FixedType(8, 4))
    assert (found.count, found.terms, found.shifts, found.pairs) == (8, 7, 2, 2)
    assert found.products == ((4, 2.0),)
    assert found.digits == 2 + 2 + 3 + 2 + 1 + 3 + 1
    assert found.range_bits == 5
    assert found.wider(3) == found.multipliers == 2
    assert found.wider(4) == 0
    assert found.area(4) == 8


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_counts_agree_with_sets_of_values(n_in, n_out, seed):
    """Oracle: Python sets per input, for weights counted by value and for wide ones alike."""
    for bits in (4, TABLE_BITS, TABLE_BITS + 4):
        kind = FixedType(bits, 1)
        whole = np.random.default_rng(seed).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (n_in, n_out))
        found = constants_of(whole * kind.step, kind)
        rows = [{int(value) for value in row} for row in whole]
        by_digits = [sum(naive_digits(value) == n for row in rows for value in row) for n in (1, 2)]
        assert [found.shifts, found.pairs] == by_digits
        assert found.multipliers == sum(naive_digits(value) > 2 for row in rows for value in row)
        assert found.terms == np.count_nonzero(whole)
        assert found.range_bits <= bits
        assert found.digits == sum(naive_digits(int(value)) for value in whole.ravel())


@pytest.mark.parametrize("bits", [6, 16])
def test_zeros_alone_cost_nothing(bits):
    """No terms, no constants, and no division by their number."""
    found = constants_of(np.zeros((4, 3)), FixedType(bits, 1))
    assert (found.count, found.terms, found.multipliers, found.mean_bits, found.range_bits) == (12, 0, 0, 0, 1)


def test_kernels_count_as_matrices():
    """A convolution's last axis are its filters, all others together the inputs of one sum."""
    weights = np.random.default_rng(0).integers(-8, 8, (3, 3, 2, 4)) / 16
    assert constants_of(weights, FixedType(5, 1)) == constants_of(weights.reshape(18, 4), FixedType(5, 1))
