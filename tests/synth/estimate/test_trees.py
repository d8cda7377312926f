"""Boosted trees: the law against published figures, and what it must not say."""

from __future__ import annotations

import pytest

from dse.network import FixedType, Layer, Network
from dse.synth.estimate import Estimate
from dse.synth.estimate.fit import shipped
from dse.synth.estimate.tool import Tool
from dse.synth.estimate.trees import SCORES, trees
from dse.synth.estimate.whole import whole

PART = "xcvu9p-flgb2104-2L-e"


def ensemble(count=100, depth=3, bits=11, outputs=1):
    """A network of full trees."""
    nodes, kind = count * (2 ** (depth + 1) - 1), FixedType(bits, 5)
    facts = {"n_in": 7, "n_out": outputs, "trees": count, "depth": depth, "nodes": nodes, "comparisons": count * (2**depth - 1)}
    first = Layer("input", "input", (), (7,), (7,), kind)
    layer = Layer("trees", "trees", ("input",), (7,), (outputs,), kind, kind, None, kind, "latency", None, facts)
    return Network((first, layer), ("trees",), "io_parallel", PART, 5.0, "Vitis", "conifer 1.11")


#: A CMS track-quality BDT (cgsavard/TQ_FPGA_example): 100 trees of depth 3, Vivado HLS 2019.1, 4.17 ns.
PUBLISHED = {"dsp": 0, "bram_18k": 0, "lut": 141565, "ff": 43936, "latency_cycles": 6, "interval_cycles": 1}
NETLIST = {"dsp": 0, "lut": 5739, "ff": 2376, "bram_18k": 0}


def test_the_published_bdt_lies_in_the_intervals():
    """High-level synthesis of an older conifer and what logic synthesis made of it: far apart, and both inside."""
    tool = Tool("ultrascale+", 4.17, 4.17 * 0.875, vitis=False)
    found = whole(ensemble(), tool, shipped())
    assert found.grade == "law"
    for name, value in PUBLISHED.items():
        low, high = shipped().interval(name, getattr(found.cost, name), found.scores[name])
        assert low <= value <= high, name
    netlist = Estimate(stage="netlist").estimate(ensemble())
    for name, value in NETLIST.items():
        low, high = netlist.intervals[name]
        assert low <= value <= high, name
    assert found.cost.latency_cycles == pytest.approx(6, abs=1)


@pytest.mark.parametrize(
    ("count", "depth", "cycles"), [(10, 3, 3), (60, 3, 4), (32, 2, 3), (100, 4, 11), (50, 6, 8), (200, 3, 7)]
)
def test_cycles_of_conifers_own_estimator_lie_in_the_interval(count, depth, cycles):
    """Its fit to syntheses at 5 ns (conifer 1.11, HLSLatencyEstimator)."""
    found = Estimate().estimate(ensemble(count, depth, bits=18))
    low, high = found.intervals["latency_cycles"]
    assert low <= cycles <= high


def test_more_trees_cost_more_and_wider_scores_too():
    """Every knob of such a design moves a figure, and none a figure that it has no part in."""
    tool = Tool("ultrascale+", 5.0, 3.65, vitis=True)

    def cost(network):
        return trees(network.layers[1], network, tool)

    small = cost(ensemble())
    assert cost(ensemble(count=200)).lut == pytest.approx(2 * small.lut)
    assert cost(ensemble(bits=12)).lut > small.lut
    assert cost(ensemble(depth=5)).latency_cycles > small.latency_cycles
    assert cost(ensemble(count=300, outputs=3)).latency_cycles == small.latency_cycles
    assert (small.dsp, small.bram_18k, small.interval_cycles) == (0, 0, 1)
    assert set(SCORES) == {"dsp", "lut", "ff", "bram_18k", "latency_cycles", "interval_cycles"}
