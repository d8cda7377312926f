"""Each known layout gives the numbers that stand in it; what is missing or unknown is an error that says what and where."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dse.errors import ReportError
from dse.synth import reports

DATA = Path(__file__).parents[2] / "data" / "reports"
EXPECTED = json.loads((DATA / "expected.json").read_text())


def text_of(name: str) -> str:
    return (DATA / name).read_text()


def test_every_file_has_its_numbers_and_every_number_a_file():
    """A layout without expected numbers would be read by no test."""
    assert {path.name for path in DATA.iterdir()} == {*EXPECTED, "expected.json"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_layout_gives_the_numbers_written_in_it(name):
    """Figures, unknowns, absent rows, modules and what the file says of itself; nothing more."""
    report, expected = reports.read(DATA / name), EXPECTED[name]
    for key in ("kind", "tool", "version", "part", "top", "state"):
        assert getattr(report, key) == expected[key], key
    assert {figure.name: figure.value for figure in report.figures.values()} == expected["figures"]
    assert {module.instance: dict(module.values) for module in report.modules} == expected["modules"]


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.endswith(".rpt")])
def test_a_figure_names_the_line_it_stands_in(name):
    """Whoever doubts a figure finds it: the named line holds its number (block RAM in tiles, achieved clock as the period)."""
    lines = text_of(name).splitlines()
    for figure in reports.read(DATA / name).figures.values():
        assert figure.line is not None
        assert figure.where
        if figure.value is not None and figure.name not in ("bram_18k", "clock_estimated_ns"):
            assert any(float(word) == figure.value for word in re.findall(r"-?\d+(?:\.\d+)?", lines[figure.line - 1]))


def test_json_holds_every_figure_and_says_null_for_what_is_not_stated():
    """Whoever reads the JSON finds the same keys in every report."""
    found = reports.read(DATA / "vivado_2019.2_power_routed.rpt").as_json()
    assert [name for name in reports.UNITS if name not in found] == []
    assert (found["power_w"], found["lut"], found["latency_min"]) == (1.531, None, None)
    assert found["where"] == {"power_w": "section '1. Summary', line 24"}
    assert json.loads(json.dumps(found)) == found


MISSING = [
    ("vivado_2024.1_utilization.rpt", r"\| CLB LUTs .*\n", 'row "CLB LUTs" or row "Slice LUTs"'),
    ("vivado_2024.1_utilization.rpt", r"\| CLB Registers .*\n", "CLB Registers"),
    ("vivado_2024.1_utilization.rpt", r"\| DSPs .*\n", "DSPs"),
    ("vivado_2024.1_utilization.rpt", r"\| Block RAM Tile .*\n", "Block RAM Tile"),
    ("vivado_2019.2_hierarchy.rpt", r"RAMB18", "RAMB18"),
    ("vivado_2019.2_hierarchy.rpt", r"DSP48 Blocks", "DSP48 Blocks"),
    ("vivado_2020.2_kernels.rpt", r".*Used Resources.*\n", "Used Resources"),
    ("vitis_hls_2022.2_csynth.rpt", r"\|Total .*\n", "row 'Total'"),
    ("vitis_hls_2022.2_csynth.rpt", r"BRAM_18K", "BRAM_18K"),
    ("vitis_hls_2022.2_csynth.rpt", r"== Utilization Estimates\n", "Utilization Estimates"),
    ("vitis_hls_2022.2_csynth.rpt", r"\+ Latency: \n", "Performance Estimates/Latency"),
    ("vitis_hls_2022.2_csynth.rpt", r"Estimated\|?", "Estimated"),
    ("vitis_hls_2021.1_summary_csynth.rpt", r"\(cycles\)", r"Latency \(cycles\)"),
    ("vitis_hls_2021.1_summary_csynth.rpt", r" +\|\+ net.*\n", "row of the top module"),
    ("vivado_2019.1_timing_routed.rpt", r"WNS\(ns\)", "WNS"),
    ("vivado_2019.1_timing_routed.rpt", r"      0\.622.*\n", "row of values"),
    ("vivado_2019.1_timing_routed.rpt", r"\| Clock Summary\n", "Clock Summary"),
    ("vivado_2019.2_power_routed.rpt", r"\| Total On-Chip.*\n", "Total On-Chip Power"),
    ("vivado_hls_2019.1_cosim.rpt", r"Interval", "Interval min"),
    ("vitis_hls_2023.2_lat.rpt", r"\$MIN_LATENCY.*\n", "MIN_LATENCY"),
    ("vitis_hls_2022.1_export_impl.rpt", r"DSP:.*\n", "line 'DSP:'"),
    ("vitis_hls_2022.1_export_impl.rpt", r"CP achieved post-imp.*\n", "CP achieved post-implementation"),
    ("vivado_hls_2019.1_export.xml", r"<AchievedClockPeriod>.*\n", "TimingReport/AchievedClockPeriod"),
    ("vivado_hls_2018.3_csynth.xml", r"<FF>4852</FF>\n", "single element FF in AreaEstimates/Resources"),
    ("vivado_hls_2018.3_csynth.xml", r"<Worst-caseLatency>.*\n", "Worst-caseLatency"),
]


@pytest.mark.parametrize(("name", "removed", "wanted"), MISSING)
def test_what_is_missing_is_an_error_that_names_file_section_and_layouts(name, removed, wanted):
    """A missing row is never read as the best value there is: the message says what was looked for."""
    text, count = re.subn(removed, lambda found: "" if found[0].endswith("\n") else " " * len(found[0]), text_of(name))
    assert count
    with pytest.raises(ReportError, match=rf"^some/{re.escape(name)}: no .*{wanted}(.|\n)*Known layouts: ."):
        reports.parse(f"some/{name}", text)


UNREADABLE = [
    ("vitis_hls_2022.2_csynth.rpt", "4.00 ns", "4.00 xs", "Target"),
    ("vitis_hls_2022.2_csynth.rpt", "4.00 ns", "4.00   ", "not a time with a unit"),
    ("vitis_hls_2022.2_csynth.rpt", "|    36|", "|  many|", "not a count: 'many'"),
    ("vitis_hls_2022.2_csynth.rpt", "(cycles)", "(clocks)", r"column 'Latency \(cycles\) min'"),
    ("vivado_hls_2018.2_csynth.rpt", "(clock cycles)", "(thousands)", "unit 'clock cycles'"),
    ("vivado_2019.1_timing_routed.rpt", "      0.622 ", "      0,622 ", "not a number: '0,622'"),
    ("vivado_2019.1_utilization_routed.rpt", " 0.5 ", " 0.3 ", "not a number of half tiles"),
    ("vivado_2019.2_power_routed.rpt", "1.531", "1.5W ", "not a number: '1.5W"),
    ("vivado_hls_2019.1_cosim.rpt", "Pass", "Good", "known status"),
    ("vivado_hls_2018.3_csynth.xml", "<unit>ns</unit>", "<unit>furlong</unit>", "known unit of time"),
    ("vivado_hls_2018.3_csynth.xml", "clock cycles", "seconds", "unit 'clock cycles'"),
    ("vivado_hls_2018.3_csynth.xml", "</profile>", "", "not well-formed XML"),
]


@pytest.mark.parametrize(("name", "before", "after", "words"), UNREADABLE)
def test_what_cannot_be_read_is_an_error_and_never_a_guess(name, before, after, words):
    """Another unit, another status or another way to write a number is named, not converted by luck."""
    text = text_of(name)
    assert before in text
    with pytest.raises(ReportError, match=words):
        reports.parse(name, text.replace(before, after))


@pytest.mark.parametrize("unit", ["us", "ps"])
def test_a_clock_in_another_unit_of_time_is_converted(unit):
    """Times are in ns whatever unit the tool chose."""
    text = text_of("vitis_hls_2022.2_csynth.rpt").replace("4.00 ns", f"4.00 {unit}")
    value = reports.parse("x", text).value("clock_target_ns")
    assert value == {"us": 4000.0, "ps": 0.004}[unit]


@pytest.mark.parametrize("option", ["-from [get_cells a]", "-hold", "-through x", "-delay_type min", "-group g"])
def test_the_worst_path_of_a_part_of_the_design_is_not_its_slack(option):
    """`report_timing` with restrictions says nothing of the whole design."""
    text = text_of("vivado_2018.2_timing_path.rpt").replace("report_timing -file", f"report_timing {option} -file")
    with pytest.raises(ReportError, match="worst path of the whole design"):
        reports.parse("x", text)


@pytest.mark.parametrize(
    "text", ["", "hello", "<profile/>", "<html></html>", "\x00\x01", "| a | b |\n", "<profile><AreaReport/></profile>"]
)
def test_what_is_no_report_is_said_to_be_none(text):
    """Any text at all gives ReportError, with the name it was given."""
    with pytest.raises(ReportError, match=r"^dir/thing: "):
        reports.parse("dir/thing", text)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """A path that is not there and a folder are errors of the same family."""
    for path in (tmp_path / "nothing.rpt", tmp_path):
        with pytest.raises(ReportError, match=re.escape(str(path))):
            reports.read(path)


def test_line_ends_and_byte_order_marks_do_not_matter():
    """Reports that have passed through Windows read the same."""
    for name in EXPECTED:
        text = text_of(name)
        plain, passed = (reports.parse(name, t) for t in (text, "\ufeff" + text.replace("\n", "\r\n")))
        assert passed == plain
