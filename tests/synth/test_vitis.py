"""The HLS driver: what it calls, what it keeps, what it says of every disaster."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from synthesizer_contract import SynthesizerContract
from vendor_tools import build_network, fake_tools, fresh_lab, replay  # noqa: F401

from dse.errors import ToolNotFound
from dse.shell import Limits
from dse.synth.vitis import Vectors, Vitis
from dse.vendor import Terms

QUICK = Terms(Limits(timeout_s=20.0, grace_s=0.2), at_once=1, licence_wait_s=0.0, licence_poll_s=0.05)
VECTORS = Vectors(np.array([[0.5, -0.25], [1.0, 0.125]]), np.array([[0.25, 1.5], [-1.0, 0.0625]]))


@pytest.fixture
def synthesizer(tools):
    return Vitis(terms=QUICK)


@pytest.fixture
def network(lab):
    return lab.network


@pytest.fixture
def project(lab):
    return lab.project


class TestContract(SynthesizerContract):
    """Vitis HLS keeps what every synthesizer keeps."""


def test_figures_are_those_of_the_report(synthesizer, lab):
    """Counts, cycles, clock; latency in ns at the target clock; one row per instance; the judge is the tool's version."""
    found = lab.run(synthesizer)
    assert dict(found.values) == {
        "bram_18k": 3,
        "dsp": 36,
        "ff": 2406,
        "lut": 2109,
        "uram": 0,
        "latency_cycles": 17,
        "interval_cycles": 1,
        "latency_ns": 68.0,
        "clock_estimated_ns": 3.647,
        "met_timing": 1,
    }
    assert found.layers["grp_dense_fu_69"]["lut"] == 1238
    assert (found.judge.tool, found.judge.version, found.judge.level) == ("Vitis HLS", "2023.2", "hls")


def test_the_script_asks_for_what_hls4mls_own_script_asks_for(synthesizer, lab):
    """Part and clock are the network's, uncertainty and array size the project's; the settings are hls4ml's own."""
    lab.run(synthesizer)
    assert lab.tools.commands == [
        ["open_project", "-reset", "myproject_prj"],
        ["set_top", "myproject"],
        ["add_files", "firmware/myproject.cpp", "-cflags", "-std=c++0x"],
        ["open_solution", "-reset", "solution1"],
        ["config_array_partition", "-maximum_size", "4096"],
        ["config_compile", "-name_max_length", "80"],
        ["set_part", "xc7z020-clg400-1"],
        ["config_schedule", "-enable_dsp_full_reg=false"],
        ["create_clock", "-period", "4.0", "-name", "default"],
        ["set_clock_uncertainty", "27%", "default"],
        ["csynth_design"],
    ]


def test_a_small_listed_set_is_kept_and_the_rest_removed(synthesizer, lab):
    """Reports, RTL with its tables, log, scripts and run.sh; nothing of the tool's own files."""
    lab.run(synthesizer)
    assert sorted(lab.kept) == [
        "hls.log",
        "hls.tcl",
        "reports/csynth.rpt",
        "reports/myproject_csynth.rpt",
        "rtl.tar.gz",
        "run.sh",
        "settings.tcl",
    ]


def test_run_sh_repeats_the_run_by_hand_also_after_everything_has_moved(synthesizer, lab, tmp_path):
    """The script lays a fresh copy of the project and makes the same call; its argument says where the project is now."""
    lab.run(synthesizer)
    before = lab.tools.commands
    lab.out.rename(tmp_path / "moved")
    lab.project.rename(tmp_path / "elsewhere")
    replay(tmp_path / "moved", tmp_path / "elsewhere")
    assert lab.tools.commands == before * 2
    assert (tmp_path / "moved" / "work" / "myproject_prj").is_dir()


def test_the_ip_is_kept_on_demand(synthesizer, lab):
    """`export_ip` leaves the packaged IP, and is part of the causes."""
    asked = replace(synthesizer, export_ip=True)
    lab.run(asked)
    assert "ip/xilinx_com_hls_myproject_1_0.zip" in lab.kept
    assert asked.causes(lab.network) != synthesizer.causes(lab.network)


@pytest.mark.parametrize(
    ("installed", "version", "call"),
    [
        (("vitis-run", "vitis_hls"), "2025.1", ["vitis-run", "--mode", "hls", "--tcl"]),
        (("vitis-run", "vitis_hls"), "2023.1", ["vitis_hls", "-f"]),
        (("vitis_hls",), "2021.1", ["vitis_hls", "-f"]),
        (("vivado_hls",), "2019.2", ["vivado_hls", "-f"]),
    ],
)
def test_the_program_depends_on_the_version(lab, installed, version, call):
    """vitis-run takes Tcl scripts since 2023.2; before, vitis_hls -f; up to 2020.1, vivado_hls -f."""
    lab.tools.install(*installed, version=version)
    vitis = Vitis(terms=QUICK)
    front = ("Vivado HLS", "Vivado") if call[0] == "vivado_hls" else ("Vitis HLS", "Vitis")
    network = build_network(front[1])
    judge = vitis.synthesize(network, lab.project, lab.out).judge
    note = next(note for note in lab.tools.notes if "tool" in note)
    assert ([note["tool"], *note["argv"]], note["cwd"]) == ([*call, "../hls.tcl"], "work")
    assert (judge.tool, judge.version) == (front[0], version)
    assert vitis.causes(network)["tool"] == [call[0], front[0], version]


def test_a_project_of_the_other_front_end_is_refused(synthesizer, lab):
    """C++ for Vivado HLS does not compile with Vitis HLS: said before an hour is spent."""
    failed = replace(lab, network=build_network("Vivado")).fail(synthesizer)
    assert failed.kind == "unsupported"
    assert "needs Vivado HLS, not " in failed.message


def test_without_any_tool_the_message_says_what_to_do(lab):
    """All three programs and their variables are named."""
    lab.tools.install()
    expected = r"none of vitis-run, vitis_hls, vivado_hls is in PATH\. Source settings64\.sh, or set one of DSE_VITIS_RUN"
    for ask in (lambda: Vitis().causes(lab.network), lambda: Vitis().judge("p", None)):
        with pytest.raises(ToolNotFound, match=expected):
            ask()
    with pytest.raises(ToolNotFound, match=r"vitis_hls is not in PATH\. Source settings64\.sh, or set DSE_VITIS_HLS"):
        Vitis(program="vitis_hls").causes(lab.network)


DISASTERS = [
    ("crash", "crash", "signal 11"),
    ("abnormal", "crash", "Abnormal program termination"),
    ("killed", "memory", "killed from outside"),
    ("memory", "memory", "RDI_PROG.*Memory ran out"),
    ("disk", "disk", "No space left on device.*Make room|make room"),
    ("licence", "licence", "17-345.*XILINXD_LICENSE_FILE"),
    ("part", "licence", "200-1023.*not installed, or not licensed"),
    ("unroll", "tool", "Stop unrolling loop.*raise its reuse factor"),
    ("refused", "tool", r"Vitis HLS 2023\.2: ERROR: \[HLS 207-3\] no matching function"),
    ("quiet", "tool", r"exit code 1\. The complete log is hls\.log"),
    ("no_report", "report", r"left no myproject_csynth\.rpt"),
    ("half", "report", r"myproject_csynth\.rpt: no "),
]


@pytest.mark.parametrize(("mode", "kind", "words"), DISASTERS)
def test_a_disaster_is_typed_and_leaves_its_log(synthesizer, lab, mode, kind, words):
    """What went wrong, what to do, the complete log and run.sh; nothing of the project is left behind."""
    lab.tools.misbehave(mode)
    failed = lab.fail(synthesizer)
    assert failed.kind == kind
    assert re.search(words, failed.message)
    assert b"vitis-run begins" in lab.kept["hls.log"]
    assert "run.sh" in lab.kept
    assert not (lab.out / "work").exists()


def test_a_hung_tool_is_ended_at_its_limit(lab):
    """No run takes longer than it may."""
    lab.tools.misbehave("hang")
    vitis = Vitis(terms=replace(QUICK, limits=Limits(timeout_s=0.5, grace_s=0.2)))
    assert lab.fail(vitis).kind == "timeout"


def test_a_licence_in_use_is_asked_for_again(lab):
    """The second time it is given; the figures are there, and the tool was called twice."""
    lab.tools.misbehave("licence_once")
    vitis = Vitis(terms=replace(QUICK, licence_wait_s=30.0))
    assert lab.run(vitis).values["lut"] == 2109
    assert lab.calls == ["vitis-run"] * 2


def test_a_part_that_is_not_installed_is_not_waited_for(lab):
    """Waiting installs nothing."""
    lab.tools.misbehave("part")
    vitis = Vitis(terms=replace(QUICK, licence_wait_s=30.0))
    assert lab.fail(vitis).kind == "licence"
    assert lab.calls == ["vitis-run"]


def test_a_folder_that_is_no_project_is_said_to_be_none(synthesizer, lab, tmp_path):
    """The missing file is named."""
    (tmp_path / "empty").mkdir()
    failed = replace(lab, project=tmp_path / "empty").fail(synthesizer)
    assert (failed.kind, "project.tcl" in failed.message) == ("invalid", True)


def test_a_name_that_tcl_could_read_as_more_is_refused(synthesizer, lab):
    """No text of a project or study reaches Tcl as code."""
    with pytest.raises(ValueError, match=r"part must be letters, digits and any of _ \. % \+ -, got 'x; exec ls'"):
        replace(lab, network=replace(lab.network, part="x; exec ls")).run(synthesizer)


def test_a_cosimulation_that_agrees_changes_no_figure(synthesizer, lab):
    """The emulation's own vectors are the test bench; its report and outputs are kept, and that the RTL agrees is a figure."""
    checked = lab.run(synthesizer, VECTORS)
    kept, commands = lab.kept, lab.tools.commands
    assert checked.values == {**lab.run(synthesizer).values, "agreement_rtl": 1.0, "agreement_rtl_n": 2}
    assert ["add_files", "-tb", "myproject_test.cpp", "-cflags", "-std=c++0x -DRTL_SIM"] in commands
    assert commands.count(["cosim_design", "-rtl", "verilog"]) == 1
    assert kept["tb_data/tb_input_features.dat"] == b"0.5 -0.25\n1 0.125\n"
    assert {"reports/myproject_cosim.rpt", "rtl_cosim_results.log"} <= set(kept)


@pytest.mark.parametrize(
    ("mode", "words"), [("cosim_wrong", r"equals the emulation on 50\.00% of 2 rows only"), ("cosim_fail", "ended with 'fail'")]
)
def test_a_cosimulation_that_differs_is_a_mismatch(synthesizer, lab, mode, words):
    """RTL that computes something else is a failure, not a cheap design."""
    lab.tools.misbehave(mode)
    failed = lab.fail(synthesizer, VECTORS)
    assert failed.kind == "mismatch"
    assert re.search(words, failed.message)


def test_vectors_that_the_test_bench_cannot_read_exactly_are_refused():
    """The generated test bench reads float32: other inputs would show differences that are none."""
    with pytest.raises(ValueError, match="float32"):
        Vectors(np.array([[0.1]]), np.array([[0.0]]))
    with pytest.raises(ValueError, match="equal length"):
        Vectors(np.zeros((2, 1)), np.zeros((3, 1)))
