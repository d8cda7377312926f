"""Will the tool synthesise this at all."""

import csv
import os
from pathlib import Path

import pytest
from build_network import dense, network, relu

from dse.synth.estimate import feasibility
from dse.synth.estimate.fit import shipped

SHARED = Path(os.environ.get("DSE_SHARED", Path(__file__).parents[4] / "shared"))
TABLE = SHARED / "synthesis" / "dense_outcomes.csv"


def test_the_hardest_layer_decides():
    """A network is synthesised only if all its layers are."""
    layers = (dense("easy", "x", 16, 8), relu("r", "easy", 8), dense("fair", "r", 8, 256), relu("s", "fair", 256))
    found = feasibility(network(*layers, dense("out", "s", 256, 20)))
    assert found.layer == "out"
    assert found.share == 0
    assert found.low == 0 < found.high < 0.2


def test_small_layers_always_were_synthesised():
    """Every attempt up to 2048 multiplications ended well; the interval says how much that proves."""
    found = feasibility(network(dense("a", "x", 16, 8)))
    assert found.share == 1
    assert found.high == pytest.approx(1)
    assert 0.8 < found.low < 1


def test_a_reuse_factor_makes_large_layers_possible():
    """Weights in memory: most attempts of 16,384 multiplications and more ended well."""
    found = feasibility(network(dense("a", "x", 256, 128, strategy="resource", reuse_factor=256)))
    assert found.share > 0.9


def test_nothing_is_said_of_a_network_without_product_sums():
    """No attempt is like it."""
    assert feasibility(network(relu("r", "x", 8), entering=(8,))) is None


@pytest.mark.skipif(not TABLE.is_file(), reason="no published attempts: set DSE_SHARED to the folder that holds them")
def test_every_attempt_is_counted_once():
    """The counts in the fit are those of the table."""
    with TABLE.open() as file:
        rows = list(csv.DictReader(file))
    outcomes = shipped().outcomes
    assert sum(row["attempts"] for row in outcomes) == len(rows)
    assert sum(row["synthesised"] for row in outcomes) == sum(row["hls_synth_success"] == "True" for row in rows)
