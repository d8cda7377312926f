"""Values against their types, and what is lost layer by layer: against sums done by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from build_network import dense, network, relu

from dse.network import FixedType
from dse.nn.ranges import FINE, load_float, profile, real, save_float, trace
from dse.nn.reference import reference

X = np.random.default_rng(5).uniform(-2, 2, size=(60, 6))
WIDE = FixedType(16, 6)


def small(result=WIDE, quantised=WIDE, weights=None):
    """6-4 dense and a relu, with these result types."""
    layers = (replace(dense("fc", "x", 6, 4), result_type=result), replace(relu("r", "fc", 4), result_type=quantised))
    return network(*layers, weights=weights)


def test_the_network_in_real_numbers_computes_what_numpy_does():
    """To 1e-8: whatever its types were."""
    found = small(FixedType(4, 2))
    expected = np.maximum(X @ found.weights["fc/weight"], 0)
    assert np.abs(reference(real(found), X) - expected).max() < 1e-8
    doubled = {"fc/weight": 2 * found.weights["fc/weight"]}
    assert np.abs(reference(real(found, doubled), X) - 2 * expected).max() < 1e-8


def test_ranges_are_those_of_the_values():
    """Weights as given, results in real numbers; integer bits hold the extremes and one fewer does not."""
    found = small()
    rows = {(row.layer, row.part): row for row in profile(found, found.weights, X)}
    sums = X @ found.weights["fc/weight"]
    assert set(rows) == {("x", "result"), ("fc", "weight"), ("fc", "result"), ("r", "result")}
    row = rows["fc", "result"]
    assert (row.low, row.high) == pytest.approx((sums.min(), sums.max()))
    assert row.count == sums.size
    assert row.magnitudes[2] == pytest.approx(np.median(np.abs(sums)))
    fits = [bits for bits in range(1, 12) if FixedType(32, bits).low <= sums.min() and sums.max() <= FixedType(32, bits).high]
    assert row.integer == fits[0]


@pytest.mark.parametrize(
    ("kind", "overflow", "underflow"),
    [
        (FixedType(8, 4), 2 / 6, 1 / 6),  # step 1/16: -9 and 8 are beyond, 0.01 becomes 0, -0.01 becomes -1/16
        (FixedType(8, 4, rounding="RND"), 2 / 6, 2 / 6),
        (FixedType(8, 4, signed=False), 2 / 6, 1 / 6),  # -9 and -1/16
        (FixedType(8, 6), 0.0, 1 / 6),
        (FixedType(4, 5), 0.0, 2 / 6),  # step 2: 0.5 becomes 0 too, -9 becomes -10
    ],
)
def test_overflow_is_beyond_the_ends_and_underflow_what_becomes_zero(kind, overflow, underflow):
    """Counted by hand on six inputs, one row each."""
    x = np.array([[-9.0], [-0.01], [0.0], [0.01], [0.5], [8.0]])
    found = network(relu("r", "x", 1), entering=(1,))
    found = replace(found, layers=(replace(found.layers[0], result_type=kind), found.layers[1]))
    row = next(row for row in profile(found, {}, x) if row.layer == "x")
    assert (row.overflow, row.underflow) == pytest.approx((overflow, underflow))
    assert row.count == 6
    loss = trace(found, None, x)[0]
    assert (loss.overflow, loss.underflow) == pytest.approx((overflow, underflow))


def test_nothing_is_lost_where_types_are_fine_enough():
    """And the correlation is 1."""
    for loss in trace(small(FINE, FINE), None, np.round(X * 8) / 8):
        assert loss.largest < 1e-8
        assert loss.correlation == pytest.approx(1.0)
        assert (loss.overflow, loss.underflow) == (0.0, 0.0)


def test_a_loss_is_found_in_the_layer_that_makes_it():
    """A relu of 3 bits: no layer before it differs by more than its own step, and its figures are those of the difference."""
    coarse = FixedType(3, 3, False, "TRN", "SAT")
    found = small(WIDE, coarse)
    losses = {loss.layer: loss for loss in trace(found, None, np.round(X * 8) / 8)}
    truth = np.maximum(np.round(X * 8) / 8 @ found.weights["fc/weight"], 0)
    cast = reference(found, np.round(X * 8) / 8)
    assert losses["fc"].largest < 2**-9
    assert losses["r"].largest == pytest.approx(np.abs(cast - truth).max(), abs=1e-8)
    assert losses["r"].rms == pytest.approx(np.sqrt(np.mean((cast - truth) ** 2)), abs=1e-8)
    assert losses["r"].relative == pytest.approx(losses["r"].rms / np.sqrt(np.mean(truth**2)))
    assert losses["r"].correlation == pytest.approx(np.corrcoef(cast.ravel(), truth.ravel())[0, 1])
    assert losses["r"].underflow > 0.05


def test_weights_that_were_quantised_are_part_of_the_loss(tmp_path):
    """Kept beside the network; without them only results can lose anything."""
    found = small(FINE, FINE)
    weights = {"fc/weight": found.weights["fc/weight"] + 0.001}
    assert load_float(tmp_path) is None
    save_float(tmp_path, weights)
    x = np.round(X * 8) / 8
    losses = {loss.layer: loss for loss in trace(found, load_float(tmp_path), x)}
    assert losses["fc"].largest == pytest.approx(np.abs(x.sum(axis=1)).max() * 0.001, abs=1e-6)
