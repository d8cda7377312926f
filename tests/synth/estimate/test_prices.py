"""The fit of prices in `tools/`."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))

from estimate_prices import PHYSICS, prices

from dse.synth.estimate.fit import shipped


def test_a_price_that_layers_tell_is_theirs_and_one_that_they_do_not_is_physics():
    """40 layers of sums at 12 LUTs each and nothing else: 12 within the pull, the others as if a bit took one LUT."""
    sums = np.linspace(10, 2000, 40)
    rows = [{"sum": value, "pair_bit": 0.0, "fabric_bit": 0.0} for value in sums]
    found = prices(rows, 12 * sums, np.full(40, 1 / 40), towards=PHYSICS)
    assert found["sum"] == pytest.approx(12, rel=0.01)
    assert (found["pair_bit"], found["fabric_bit"]) == (1.0, 1.0)
    alone = prices(rows, 12 * sums, np.full(40, 1 / 40))
    assert (alone["pair_bit"], alone["fabric_bit"]) == (0.0, 0.0)


def test_prices_that_two_terms_share_are_split_as_physics_would():
    """Where two terms always come together at 3 LUTs for both, layers tell the sum alone: 1.5 each, not 3 and 0."""
    count = np.linspace(10, 2000, 40)
    rows = [{"pair_bit": value, "fabric_bit": value} for value in count]
    found = prices(rows, 3 * count, np.full(40, 1 / 40), towards=PHYSICS)
    assert found["pair_bit"] == pytest.approx(found["fabric_bit"], rel=0.01)
    assert found["pair_bit"] + found["fabric_bit"] == pytest.approx(3, rel=0.01)


def test_every_fitted_price_has_a_physical_one():
    """The shipped prices of LUTs and flip-flops are those that physics has an opinion on, and the known ones."""
    names = {*shipped().prices["lut"], *shipped().prices["ff"]}
    assert names == {*PHYSICS, "output_bit", "input_bit"} | {"block_bit"}
