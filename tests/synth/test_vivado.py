"""The Vivado driver: netlist and routed figures of the RTL of the rung below."""

from __future__ import annotations

from dataclasses import replace

import pytest
from synthesizer_contract import SynthesizerContract
from vendor_tools import fake_tools, fresh_lab, replay  # noqa: F401

from dse.errors import StageFailed, ToolNotFound
from dse.shell import Limits
from dse.synth.vitis import Vitis
from dse.synth.vivado import Vivado
from dse.vendor import Terms

QUICK = Terms(Limits(timeout_s=20.0, grace_s=0.2), at_once=1, licence_wait_s=0.0, licence_poll_s=0.05)


@pytest.fixture(params=["netlist", "routed"])
def synthesizer(request, tools):
    return Vivado(request.param, Vitis(terms=QUICK), terms=QUICK)


@pytest.fixture
def network(lab):
    return lab.network


@pytest.fixture
def project(lab):
    return lab.project


@pytest.fixture
def below(lab, tmp_path):
    """What C synthesis has left."""
    folder = tmp_path / "below"
    folder.mkdir()
    replace(lab, out=folder).run(Vitis(terms=QUICK))
    return folder


class TestContract(SynthesizerContract):
    """Both rungs keep what every synthesizer keeps."""


def test_netlist_figures_come_from_vivado_and_cycles_from_hls(lab, below):
    """Counts, slack and achieved clock after synthesis; latency in ns at the target clock."""
    found = Vivado("netlist", Vitis(), terms=QUICK).refine(lab.network, below, lab.out)
    assert dict(found.values) == {
        "lut": 4945,
        "ff": 5768,
        "bram_18k": 61,
        "dsp": 89,
        "uram": 0,
        "latency_cycles": 17,
        "interval_cycles": 1,
        "latency_ns": pytest.approx(17 * 4.17),
        "clock_estimated_ns": 3.548,
        "wns_ns": 0.622,
        "met_timing": 1,
    }
    assert (found.judge.level, found.judge.version) == ("netlist", "2023.2 after Vitis HLS 2023.2")
    assert found.layers["dense_U0"] == {"lut": 7176, "ff": 582, "bram_18k": 4, "dsp": 1}


def test_routed_figures_are_of_the_routed_design_at_the_achieved_clock(lab, below):
    """A missed clock is told: slack below 0, not met, and latency in ns at the period that was reached."""
    found = Vivado("routed", Vitis(), terms=QUICK).refine(lab.network, below, lab.out).values
    assert (found["wns_ns"], found["met_timing"], found["clock_estimated_ns"]) == (-1.791, 0, 6.791)
    assert found["latency_ns"] == pytest.approx(17 * 6.791)
    assert found["power_w"] == 1.531


def test_the_script_constrains_the_clock_and_routes_only_on_demand(lab, below):
    """Out of context with a clock: else there is no timing. The RTL's tables are given too."""
    Vivado("netlist", Vitis(), terms=QUICK).refine(lab.network, below, lab.out)
    commands = lab.tools.commands[lab.tools.commands.index(["csynth_design"]) + 1 :]
    assert commands[:6] == [
        ["set_param", "general.maxThreads", "2"],
        ["create_project", "-in_memory", "-part", "xc7z020-clg400-1"],
        ["read_verilog", "rtl/myproject.v"],
        ["add_files", "rtl/w.dat"],
        ["read_xdc", "-mode", "out_of_context", "clock.xdc"],
        ["synth_design", "-top", "myproject", "-part", "xc7z020-clg400-1", "-mode", "out_of_context"],
    ]
    assert {words[0] for words in commands[6:]} == {"report_utilization", "report_timing_summary"}
    Vivado("routed", Vitis(), terms=QUICK).refine(lab.network, below, lab.out)
    steps = [words[0] for words in lab.tools.commands if not words[0].startswith("report")][-5:]
    assert steps == ["synth_design", "opt_design", "place_design", "phys_opt_design", "route_design"]


def test_the_ladder_in_one_call_leaves_every_rung(synthesizer, lab):
    """C synthesis below, this rung beside it; reports, logs and scripts only."""
    lab.run(synthesizer)
    kept = sorted(lab.kept)
    stages = ["synth", "routed"] if synthesizer.rung == "routed" else ["synth"]
    expected = {f"reports/{name}_{stage}.rpt" for name in ("utilization", "hierarchy", "timing") for stage in stages}
    expected |= {"reports/power_routed.rpt"} if synthesizer.rung == "routed" else set()
    assert {name for name in kept if not name.startswith("hls/")} == expected | {
        "vivado.log",
        "vivado.tcl",
        "settings.tcl",
        "run.sh",
    }
    assert "hls/reports/myproject_csynth.rpt" in kept


def test_run_sh_repeats_the_rung_by_hand_after_a_move(synthesizer, lab, tmp_path):
    """The RTL of the rung below is laid out again, wherever the folder is now."""
    lab.run(synthesizer)
    before = [words for words in lab.tools.commands if words[0] == "synth_design"]
    lab.out.rename(tmp_path / "moved")
    replay(tmp_path / "moved")
    assert [words for words in lab.tools.commands if words[0] == "synth_design"] == before * 2


def test_rung_and_hls_tool_are_causes(lab):
    """The netlist of another HLS version, and the routed design, are other entries."""
    netlist = Vivado("netlist", Vitis())
    others = [
        replace(netlist, rung="routed"),
        replace(netlist, hls=Vitis(export_ip=True)),
        replace(netlist, keep_checkpoint=True),
    ]
    assert all(other.causes(lab.network) != netlist.causes(lab.network) for other in others)
    assert replace(netlist, threads=8).causes(lab.network) == netlist.causes(lab.network)
    with pytest.raises(ValueError, match="rung must be one of netlist, routed, got 'hls'"):
        Vivado("hls", Vitis())


@pytest.mark.parametrize(
    ("mode", "kind", "words"),
    [
        ("crash", "crash", "signal 11"),
        ("killed", "memory", "killed from outside"),
        ("licence", "licence", "17-345"),
        ("refused", "tool", "HLS 207-3"),
        ("no_report", "report", r"left no utilization_synth\.rpt"),
        ("half", "report", r"utilization_synth\.rpt: no "),
    ],
)
def test_a_disaster_is_typed_and_leaves_its_log(lab, below, mode, kind, words):
    """As with the rung below."""
    lab.tools.misbehave(mode)
    with pytest.raises(StageFailed, match=words) as failed:
        Vivado("netlist", Vitis(), terms=QUICK).refine(lab.network, below, lab.out)
    assert failed.value.kind == kind
    assert b"vivado begins" in lab.kept["vivado.log"]
    assert not (lab.out / "work").exists()


def test_a_failure_of_the_rung_below_is_that_rungs(synthesizer, lab):
    """Without RTL Vivado is not called."""
    lab.tools.misbehave("unroll")
    assert lab.fail(synthesizer).kind == "tool"
    assert set(lab.calls) == {"vitis-run"}


def test_a_folder_without_rtl_is_refused(lab, tmp_path):
    """What the rung below should have left is named."""
    (tmp_path / "below").mkdir()
    with pytest.raises(StageFailed, match=r"the rung below has left no rtl\.tar\.gz"):
        Vivado("netlist", Vitis(), terms=QUICK).refine(lab.network, tmp_path / "below", lab.out)


def test_without_vivado_the_message_says_what_to_do(lab):
    """HLS alone does not climb the ladder."""
    lab.tools.install("vitis-run")
    with pytest.raises(
        ToolNotFound, match=r"vivado is not in PATH\. Source settings64\.sh, or set DSE_VIVADO to its full path"
    ):
        Vivado("routed", Vitis()).causes(lab.network)
