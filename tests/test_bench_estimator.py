"""The estimator's benchmark: its interface, and tables that nobody has seen."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).parents[1] / "bench" / "estimator.py"
sys.path.insert(0, str(BENCH.parents[1]))

from bench.architectures import convolutions_of, sizes_of
from bench.estimator import COLUMNS, MEASURES, judged, ranks
from dse.errors import UsageError

LAYERS = [
    {"design_id": "a", "layer": "config2", "n_in": "16", "n_out": "8", "weight_bits": "8", "LUT": "2000"},
    {"design_id": "b", "layer": "config2", "n_in": "64", "n_out": "8", "strategy": "resource", "reuse_factor": "8",
     "weight_bits": "8", "DSP": "64", "LUT": "3000", "FF": "?", "ii_max": "8"},
    {"design_id": "c", "layer": "config2", "n_in": "", "n_out": "8", "weight_bits": "8", "LUT": "10"},
    {"design_id": "d", "layer": "config2", "n_in": "8", "n_out": "8", "strategy": "unheard_of", "weight_bits": "8"},
]  # fmt: skip
DESIGNS = [
    {"design_id": "a", "network": "MLP 16-8-4", "stage": "csynth", "io_type": "io_parallel", "strategy": "Latency",
     "reuse_factor": "1", "weight_bits": "6/6", "part": "xc7z020clg400-1", "LUT": "5000", "latency_max": "9"},
    {"design_id": "b", "network": "a poem", "stage": "csynth", "LUT": "5"},
    {"design_id": "c", "network": "QDense 16->8", "stage": "csynth_axi_wrapper", "LUT": "5"},
]  # fmt: skip


def run(tmp_path, rows, *options):
    """The benchmark on a table of these rows: its lines of JSON."""
    table = tmp_path / "table.csv"
    with table.open("w", newline="") as file:
        names = list(dict.fromkeys(name for row in rows for name in [*row, *COLUMNS.values()]))
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    done = subprocess.run([sys.executable, str(BENCH), *options, str(table)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_layers_give_one_line_with_every_figure(tmp_path):
    """Empty cells are not counted, rows that cannot be read or have no law are listed with their reasons."""
    (found,) = run(tmp_path, LAYERS)
    assert set(found) == {*COLUMNS, "rows", "unsupported", "reasons"}
    assert all(set(found[name]) == {"n", *MEASURES} for name in COLUMNS)
    assert [found[name]["n"] for name in ("lut", "dsp", "ff", "interval_cycles")] == [2, 1, 0, 1]
    assert found["dsp"]["smape"] == found["interval_cycles"]["smape"] == 0
    assert found["ff"]["smape"] is None
    assert found["unsupported"] == 2
    assert any("'n_in' must be 1 or more" in reason for reason in found["reasons"])
    assert any("'unheard_of'" in reason for reason in found["reasons"])


def test_designs_give_one_line_and_name_what_they_cannot_estimate(tmp_path):
    """An architecture that is not stated is no figure; wrappers are not the network."""
    (found,) = run(tmp_path, DESIGNS, "--designs")
    assert found["lut"]["n"] == found["latency_cycles"]["n"] == 1
    assert found["unsupported"] == 2
    assert set(found["reasons"]) == {"architecture not stated: 'a poem'", "the AXI wrapper around a network is not estimated"}


def test_one_line_per_value_of_a_column(tmp_path):
    """`--by` splits the table."""
    assert [line["design_id"] for line in run(tmp_path, LAYERS[:2], "--by", "design_id")] == ["a", "b"]


def test_one_line_per_grade_of_the_estimate(tmp_path):
    """The table does not say the grade, the estimate does; rows without a figure are of grade none."""
    lines = {line["grade"]: line for line in run(tmp_path, LAYERS, "--by", "grade")}
    assert lines["none"]["unsupported"] == lines["none"]["rows"] == 2
    assert sum(line["lut"]["n"] for grade, line in lines.items() if grade in ("calibrated", "law")) == 2


def test_measures_by_hand():
    """Smape counts 0 against 0 as right, the relative error leaves zeros out, ties share their rank."""
    found = judged(np.array([0.0, 10.0, 30.0]), np.array([0.0, 10.0, 10.0]), [True, True, False])
    assert found["smape"] == pytest.approx(100 / 3, abs=0.01)
    assert found["median_relative_error"] == 1.0
    assert found["within2x"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["coverage"] == pytest.approx(2 / 3, abs=1e-4)
    assert ranks(np.array([5.0, 1.0, 5.0])).tolist() == [2.5, 1.0, 2.5]
    assert judged(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 25.0]), None)["spearman"] == 1.0


def test_architectures_are_read_from_words():
    """Chains of widths, arrows, known names and LeNets; nothing is made up."""
    assert sizes_of("MLP 10-5-3-2 (Breast_cancer)") == [10, 5, 3, 2]
    assert sizes_of("QDense 32->64") == [32, 64]
    assert sizes_of("jet MLP (tutorial part 7), pynq-z2") == [16, 64, 32, 32, 5]
    with pytest.raises(UsageError, match="architecture not stated"):
        sizes_of("LeNet-like CNN 32x32x1")
    shapes = convolutions_of("LeNet-5 28x28x1: conv 6@5x5, 16@5x5, FC120, FC84, 10")
    assert [(shape.kind, shape.size) for shape in shapes if shape.kind != "relu"] == [
        ("input", (28, 28, 1)), ("conv2d", (24, 24, 6)), ("maxpool2d", (12, 12, 6)), ("conv2d", (8, 8, 16)),
        ("maxpool2d", (4, 4, 16)), ("reshape", (256,)), ("dense", (120,)), ("dense", (84,)), ("dense", (10,)),
    ]  # fmt: skip
    assert convolutions_of("LeNet-like CNN 32x32x1") == []
