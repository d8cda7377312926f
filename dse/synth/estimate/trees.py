"""Boosted trees that conifer has unrolled: every node compares in every cycle, the leaves' values are added in a tree.

Composed from the prices of single operators, like the other layers without product sums. What there is to compare with:

- reports of a CMS track-quality BDT (cgsavard/TQ_FPGA_example; 100 trees of depth 3, 11 bits, Vivado HLS and Vivado 2019.1,
  4.17 ns): 6 cycles, interval 1, no DSP and no block RAM; 141,565 LUTs and 43,936 flip-flops by high-level synthesis, 5,739 and
  2,376 after logic synthesis. Its older conifer passed thresholds as ports, so high-level synthesis counted comparisons of
  variables where today's counts constants;
- the estimators that conifer 1.11 ships for its HLS backend (`conifer.utils.performance`, fitted by its authors to syntheses
  that they do not list). For 12 ensembles of 10 to 200 trees of depth 2 to 6 they say 5.2 to 6.8 LUTs and 1.5 to 2.8
  flip-flops per node, and 3 to 11 cycles.

Intervals reach from one to the other and claim no coverage.
"""

from __future__ import annotations

import math

from dse.network import Layer, Network
from dse.synth.estimate.cost import Cost, adder_luts
from dse.synth.estimate.elements import compare_luts
from dse.synth.estimate.tool import Tool

#: LUTs of following one edge: whether the parent is active and its comparison came out this way (two gates of csynth's 2 LUTs).
EDGE_LUTS = 4.0
#: Flip-flops per node, before logic synthesis takes out what is constant (the estimators' 1.5 to 2.8 and the report's 1.6 per
#: node after it, over the netlist's usual share of 0.71).
NODE_FFS = 2.8
#: Nanoseconds of one step: a level of the trees, or of the sum over them (6 cycles for 3 and 7 levels at 4.17 ns).
STEP_NS = 2.0
#: Half-widths as in `Fit.scores`: LUTs and flip-flops reach the older conifer's csynth figures, 6 and 10 times these; cycles
#: those of the shipped estimator.
SCORES = {"dsp": 0.2, "lut": 1.8, "ff": 2.4, "bram_18k": 0.3, "latency_cycles": 0.7, "interval_cycles": 0.1}


def trees(layer: Layer, network: Network, tool: Tool) -> Cost:
    """All trees side by side, one row per cycle."""
    facts = layer.attributes
    count, nodes, comparisons = (int(facts[name]) for name in ("trees", "nodes", "comparisons"))
    inputs, scores = network.layer(layer.inputs[0]).result_type.width, layer.result_type.width
    leaves = nodes - comparisons
    luts = comparisons * compare_luts(inputs) + nodes * EDGE_LUTS + leaves * scores + count * adder_luts(scores)
    levels = int(facts["depth"]) + math.ceil(math.log2(max(count / layer.n_out, 1)) + 1)
    cycles = 1 + math.floor(levels * STEP_NS / tool.budget_ns)
    return Cost(lut=luts, ff=NODE_FFS * nodes, latency_cycles=cycles, interval_cycles=1)
