"""Dense layers as published tables state them."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from dse.errors import UsageError
from dse.network import FixedType
from dse.synth.estimate.constants import constants_of
from dse.synth.estimate.cost import FIGURES
from dse.synth.estimate.fit import shipped
from dse.synth.estimate.layer import figures, product_cost
from dse.synth.estimate.published import PublishedLayer, layers_of, number

SHARED = Path(os.environ.get("DSE_SHARED", Path(__file__).parents[4] / "shared"))
TABLE = SHARED / "synthesis" / "dense_layers.csv"
published = pytest.mark.skipif(not TABLE.is_file(), reason="no published layers: set DSE_SHARED to the folder that holds them")
ROW = {
    "source": "s", "design_id": "d", "layer": "config2", "n_in": "16", "n_out": "8", "strategy": "Latency",
    "reuse_factor": "1", "weight_bits": "8", "n_zero": "10", "n_nonzero": "118", "n_pow2": "20", "part": "xc7z020clg400-1",
    "tool_version": "2023.2", "clock_target_ns": "5",
}  # fmt: skip


@published
def test_weights_in_memory_cost_what_the_tool_stated():
    """634 layers of one campaign: DSP blocks and cycles exactly, LUTs and flip-flops within 1 % in the mean."""
    with TABLE.open() as file:
        rows = [r for r in csv.DictReader(file) if r["source"].startswith("wa_hls4ml") and r["strategy"] == "resource"]
    some = [(row, layer) for row, layer in zip(rows, layers_of(rows), strict=True) if layer.product.regime == "outer"]
    assert len(some) > 600
    columns = {"dsp": "DSP", "latency_cycles": "latency_max", "interval_cycles": "ii_max", "lut": "LUT", "ff": "FF"}
    wrong = {name: [] for name in columns}
    for row, layer in some:
        found = figures(product_cost(layer.product, layer.tool, shipped()).cost)
        for name, column in columns.items():
            wrong[name].append(abs(found[name] - float(row[column])) / max(float(row[column]), 1))
    assert {name: max(wrong[name]) for name in ("dsp", "latency_cycles", "interval_cycles")} == {
        "dsp": 0, "latency_cycles": 0, "interval_cycles": 0,
    }  # fmt: skip
    assert np.mean(wrong["lut"]) < 0.01
    assert np.mean(wrong["ff"]) < 0.01


@published
def test_dsp_blocks_of_constant_weights_follow_signed_digits():
    """Three digits and more, product wider than 20 bits: within 5 % on every layer of the campaign without a limit."""
    with TABLE.open() as file:
        rows = [r for r in csv.DictReader(file) if r["source"].startswith("wa_hls4ml") and r["reuse_factor"] == "1"]
    for row, layer in zip(rows, layers_of(rows), strict=True):
        found = figures(product_cost(layer.product, layer.tool, shipped()).cost)
        assert found["dsp"] == pytest.approx(float(row["DSP"]), rel=0.09, abs=1), row["design_id"]


def test_expected_constants_agree_with_drawn_ones():
    """Oracle: many draws from the same density; what is expected is their mean."""
    generator = np.random.default_rng(0)
    sizes = np.arange(1, 129)
    share = np.exp(-((sizes / 20.0) ** 1.5))
    share /= share.sum()
    drawn = [
        constants_of(generator.choice(sizes, (32, 16), p=share) * generator.choice([-1, 1], (32, 16)) / 128, FixedType(9, 2))
        for _ in range(20)
    ]
    mean = {name: np.mean([getattr(c, name) for c in drawn]) for name in ("shifts", "pairs", "multipliers", "digits")}
    powers = np.mean([512 * share[np.isin(sizes, [1, 2, 4, 8, 16, 32, 64, 128])].sum()])
    row = {**ROW, "n_in": "32", "n_out": "16", "n_zero": "0", "n_nonzero": "512", "n_pow2": str(powers)}
    row |= {"sum_csd_digits": str(mean["digits"]), "max_abs_q": "128"}
    (layer,) = layers_of([row])
    assert isinstance(layer, PublishedLayer)
    for name, value in mean.items():
        assert getattr(layer.product.constants, name) == pytest.approx(value, rel=0.06), name


def test_cells_may_be_empty():
    """A table states what its authors have published: every cell but shape and weight width may be missing."""
    bare = {"n_in": "16", "n_out": "8", "weight_type": "ap_fixed<6,1>"}
    (layer,) = layers_of([bare])
    assert isinstance(layer, PublishedLayer)
    assert layer.product.weight_bits == 6
    assert layer.product.reuse_factor == 1
    found = product_cost(layer.product, layer.tool, shipped())
    assert found.grade == "law"
    assert all(getattr(found.cost, name) >= 0 for name in FIGURES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_in": ""}, "column 'n_in' must be 1 or more, got ''"),
        ({"n_out": "-3"}, "column 'n_out' must be 1 or more, got '-3'"),
        ({"weight_bits": "", "weight_type": "float"}, "neither 'weight_bits' nor 'weight_type' is stated"),
        ({"n_nonzero": "999"}, "999 non-zero weights of 128: inconsistent"),
        ({"n_zero": "many"}, "column 'n_zero': expected a number or an empty cell, got 'many'"),
        ({"reuse_factor": "0"}, "column 'reuse_factor' must be 1 or more"),
    ],
)
def test_a_row_that_contradicts_itself_brings_its_reason(change, message):
    """One bad row spoils no table and is never estimated from a guess."""
    good, bad = layers_of([ROW, {**ROW, **change}])
    assert isinstance(good, PublishedLayer)
    assert isinstance(bad, str)
    assert message in bad


def test_inputs_that_a_name_does_not_tell_are_the_designs_first_or_as_wide_as_weights():
    """A function named after one type states its accumulator; then inputs have 16 bits, activations the weights' width."""
    one_type = {"input_type": "ap_fixed<21,10>", "output_type": ""}
    first, later = layers_of([{**ROW, **one_type}, {**ROW, **one_type, "layer": "config5"}])
    assert (first.product.input_bits, later.product.input_bits) == (16, 8)
    both = {"input_type": "ap_fixed<9,2>", "output_type": "ap_fixed<16,6>"}
    (told,) = layers_of([{**ROW, **both}])
    assert told.product.input_bits == 9


def test_the_function_of_a_streamed_layer_holds_its_inputs():
    """Vivado's `dense_wrapper` states the registers and multiplexers of its inputs too; a `dense_resource` the sum alone."""
    row = {**ROW, "strategy": "resource", "reuse_factor": "16", "tool_version": "2019.2"}
    plain, streamed = layers_of([{**row, "module": "dense_resource_1"}, {**row, "module": "dense_wrapper_ap_fixed_config2_s"}])
    assert plain.product == streamed.product
    alone, together = plain.cost(shipped()), streamed.cost(shipped())
    assert together.cost.lut - alone.cost.lut == 16 * 40
    assert together.cost.ff - alone.cost.ff == 16 * plain.product.input_bits
    assert together.cost.latency_cycles == alone.cost.latency_cycles
    assert together.grade == "law"


def test_the_tool_follows_version_and_directive():
    """Vivado HLS and early Vitis HLS keep back an eighth of the clock, hls4ml's Vitis backend 27 %; directives count."""
    old, middle, new = layers_of([{**ROW, "tool_version": v, "mult_impl": "DSP"} for v in ("2019.2", "2021.1", "2024.1")])
    assert [layer.tool.vitis for layer in (old, middle, new)] == [False, True, True]
    assert [layer.tool.budget_ns for layer in (old, middle, new)] == [4.375, 4.375, pytest.approx(3.65)]
    assert old.tool.multipliers == "dsp"
    assert old.tool.family == "7series"


def test_numbers_are_numbers_or_absent():
    """`?`, `-` and empty cells are no figures; a word is an error."""
    assert [number({"a": text}, "a") for text in ("", "?", "-", "undef", "nan", "7", " 2.5 ")] == [None] * 5 + [7.0, 2.5]
    assert number({}, "a") is None
    with pytest.raises(UsageError, match="got 'seven'"):
        number({"a": "seven"}, "a")
