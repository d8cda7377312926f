"""Genuine reports of eight tool versions, against their manifest and against one another."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from dse.synth import reports

SHARED = Path(os.environ.get("DSE_SHARED", Path(__file__).parents[4] / "shared"))
MANIFEST = SHARED / "reports" / "manifest.csv"
pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=f"no genuine reports: {MANIFEST} is absent")
ROWS = list(csv.DictReader(MANIFEST.open())) if MANIFEST.exists() else []
HELD = [row for row in ROWS if row["kind"] not in ("log", "hls4ml_config", "csynth_design_size")]
#: The manifest calls all of co-simulation, export and hierarchy by one name each.
KINDS = {
    "csynth_rpt": {"csynth"},
    "csynth_xml": {"csynth_xml", "export_xml"},
    "csynth_summary_rpt": {"csynth_summary"},
    "vivado_utilization": {"utilization", "utilization_hierarchy"},
    "vivado_timing": {"timing", "timing_path"},
    "vivado_power": {"power"},
    "cosim_rpt": {"cosim", "cosim_latency"},
    "export_rpt": {"export"},
}


@pytest.mark.parametrize("row", HELD, ids=lambda row: row["file"][-60:])
def test_a_genuine_report_agrees_with_its_manifest(row):
    """Kind, version, part, latency, DSP and LUT; `?` and an empty cell are unknown, never zero."""
    report = reports.read(SHARED / row["file"])
    assert report.kind in KINDS[row["kind"]]
    for column, value in (("tool_version", report.version), ("part", report.part)):
        assert row[column] in ("", value)
    for column, name in (("latency", "latency_max"), ("DSP", "dsp"), ("LUT", "lut")):
        if row[column]:
            assert report.value(name) == (None if row[column] == "?" else float(row[column])), name
    if "timing-violated" in row["flags"]:
        assert report.value("wns_ns") == float(row["flags"].partition("WNS=")[2])


def test_all_reports_that_hold_figures_are_read():
    """Of the 235 files six hold none (logs, a configuration, design sizes)."""
    assert len(HELD) == len(ROWS) - 6
    assert sum(reports.recognise(reports.text_of(SHARED / row["file"])) is None for row in ROWS) == 6


def pairs(first: str, second: str) -> list[tuple[Path, Path]]:
    """Files that differ only in the end of their name."""
    files = {SHARED / row["file"] for row in HELD}
    found = [(path, path.with_name(path.name.removesuffix(first) + second)) for path in sorted(files)]
    return [(path, other) for path, other in found if path.name.endswith(first) and other in files]


def test_text_and_xml_of_one_synthesis_say_the_same():
    """Two writers, two parsers, one truth: all figures and the part agree in every pair."""
    found = pairs("_csynth.rpt", "_csynth.xml")
    assert len(found) > 40
    for text, xml in found:
        one, other = reports.read(text), reports.read(xml)
        if one.kind == "csynth_summary":
            for name, figure in one.figures.items():
                assert figure.value in (None, other.value(name)), (text, name)
            continue
        for name in reports.UNITS:
            # Of a function that is not pipelined Vivado HLS 2019.2 gives its latency in the text and one more in XML.
            if not (name.startswith("interval") and one.notes["pipeline"] == "none"):
                assert one.value(name) == other.value(name) or (name == "uram" and one.value(name) is None), (text, name)
        assert (one.tool, one.version, one.part, one.top) == (other.tool, other.version, other.part, other.top)


def test_the_export_report_says_what_utilisation_and_timing_say():
    """The same netlist told thrice: counts, block RAM in 18-kbit blocks, and period minus slack."""
    found = pairs("_export.rpt", "_utilization_synth.rpt")
    assert len(found) > 15
    for export, used in found:
        one, other = reports.read(export), reports.read(used)
        if one.state == "Post-Synthesis":
            for name in ("lut", "ff", "dsp", "bram_18k", "uram"):
                assert one.value(name) == other.value(name), (export, name)
            timing = reports.read(Path(str(used).replace("utilization", "timing")))
            assert one.value("clock_estimated_ns") == pytest.approx(timing.value("clock_estimated_ns"), abs=1e-9)


def test_the_instances_of_a_csynth_report_add_up_to_its_row_instance():
    """The per-module rows are whole: their sum is what the report itself calls the instances' total."""
    checked = 0
    for row in HELD:
        if row["kind"] == "csynth_rpt":
            report = reports.read(SHARED / row["file"])
            summary = next(
                line for line in (SHARED / row["file"]).read_text().splitlines() if line.strip().startswith("|Instance ")
            )
            told = summary.split("|")[5].strip()
            costs = [module.values["lut"] for module in report.modules if "lut" in module.values]
            if told != "-":
                assert sum(costs) == int(told), row["file"]
                checked += 1
    assert checked > 40


#: Read off the files by eye: the end of the path, and what stands there.
BY_HAND = [
    ("tutorial_jets_vivado_hls_2019.1/myproject_csynth.rpt", "bram_18k", 4),
    ("tutorial_jets_vivado_hls_2019.1/myproject_csynth.rpt", "ff", 13339),
    ("tutorial_jets_vivado_hls_2019.1/myproject_csynth.rpt", "interval_max", 1),
    ("tutorial_jets_vivado_hls_2019.1/myproject_csynth.rpt", "clock_estimated_ns", 4.371),
    ("latency_analysis__core__model16__csynth__model16_rf4_core.rpt", "bram_18k", 2473),
    ("latency_analysis__core__model16__csynth__model16_rf4_core.rpt", "interval_min", 801),
    ("latency_analysis__core__model16__csynth__model16_rf4_core.rpt", "interval_max", 3201),
    ("latency_analysis__core__model16__vsynth__myproject_export.rpt", "clock_estimated_ns", 3.907),
    ("latency_analysis__core__model16__vsynth__myproject_timing_synth.rpt", "wns_ns", 1.093),
    ("latency_analysis__core__model8__vsynth__myproject_utilization_synth.rpt", "bram_18k", 121),
    ("kernel_window__model4_latency__results__myproject_timing_synth.rpt", "tns_ns", -3552.662),
    ("line_buffer_merge_v1__model32_tclk_10k__hierarchical.rpt", "ff", 95669),
    ("my_prj_prj__solution1__impl__verilog__report__my_prj_timing_routed.rpt", "wns_ns", 0.622),
    ("my_prj_prj__solution1__impl__verilog__report__my_prj_timing_routed.rpt", "clock_estimated_ns", 3.548),
    ("my_prj_prj__solution1__impl__verilog__report__my_prj_utilization_routed.rpt", "ff", 2376),
    ("my_prj_prj__solution1__sim__report__my_prj_cosim.rpt", "latency_max", 6),
    ("dma_test_pynq_v2__dma_test_pynq.runs__impl_1__design_1_wrapper_power_routed.rpt", "power_w", 1.531),
    ("lenet5_quantifie_8_4__myproject_prj__solution1__sim__report__myproject_cosim.rpt", "latency_min", 2423),
    ("lenet5_quantifie_8_4__myproject_prj__solution1__syn__report__csynth.rpt", "bram_18k", 58),
    (
        "filipemlins_vivado_hls_2018.3/model_multistart__0__hls4ml_prj__myproject_prj__solution1__syn__report__myproject_csynth.xml",
        "bram_18k",
        124,
    ),
]


@pytest.mark.parametrize(("end", "name", "value"), BY_HAND, ids=lambda value: str(value)[-40:])
def test_figures_read_by_eye(end, name, value):
    """What the manifest does not state, read off a dozen files by a person."""
    paths = [SHARED / row["file"] for row in HELD if row["file"].endswith(end)]
    assert paths
    assert reports.read(paths[0]).value(name) == value


def test_a_failed_cosimulation_is_told_from_one_that_passed():
    """Status and unknown cycles of a genuine failure."""
    failed = reports.read(SHARED / "reports/cgsavard_bdt_failed_cosim/my_prj_prj__solution1__sim__report___cosim.rpt")
    assert (failed.state, failed.value("latency_max")) == ("fail", None)
