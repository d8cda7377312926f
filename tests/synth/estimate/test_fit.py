"""The numbers that ship."""

import json
from importlib.resources import files

import pytest

from dse.synth.estimate.cost import FIGURES
from dse.synth.estimate.fit import read, shipped


def test_the_shipped_fit_is_complete():
    """Every regime and figure has a width, every domain its bounds; data and maker are named in the file."""
    fit = shipped()
    for regime in ("unrolled", "unrolled_resource", "inner", "outer", "window", "element", "network"):
        assert set(fit.scores[regime]) == set(FIGURES)
    for domain in fit.domains:
        assert set(domain.scores) == set(FIGURES)
        assert all(low <= high for low, high in domain.bounds.values())
    found = json.loads((files("dse.synth.estimate") / "fit.json").read_text())
    assert found["made_by"] == "tools/fit_estimate.py"
    assert sum(found["data"].values()) == 812


def test_an_interval_is_symmetric_in_ratios_and_whole():
    """(value + offset) times and divided by the same factor, rounded outwards; no LUTs below 0, no interval below 1 cycle."""
    fit = shipped()
    offset = fit.offsets["lut"]
    low, high = fit.interval("lut", 100000.0, 0.5)
    assert (high + offset) / (100000 + offset) == pytest.approx((100000 + offset) / (low + offset), rel=1e-4)
    assert low == int(low)
    assert high == int(high)
    assert fit.interval("lut", 0.0, 3.0)[0] == 0
    assert fit.interval("interval_cycles", 1.0, 3.0)[0] == 1
    assert fit.interval("dsp", 7.0, 0.0) == (7, 7)
    assert fit.interval("dsp", 7.0, 0.2) == (5, 9)


def test_calibrated_widths_are_narrower_than_a_laws():
    """What the data cover is known better: for LUTs in every regime with a domain."""
    fit = shipped()
    for domain in fit.domains:
        assert domain.scores["lut"] <= fit.scores[domain.regime]["lut"]


def test_a_damaged_fit_is_refused():
    """A missing table is an error when read, not a zero when used."""
    found = json.loads((files("dse.synth.estimate") / "fit.json").read_text())
    del found["prices"]
    with pytest.raises(KeyError):
        read(found)
