"""`dse synth` as it is typed: figures, disasters, what is told and what is never done twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from swept import build_swept
from vendor_tools import fake_tools  # noqa: F401

from dse.cleaning import clean
from dse.cli import main
from dse.journal import only_runner
from dse.run import RECORDS_FILE, open_run
from dse.store import Store
from dse.view import view

HLS = "vitis: Vitis HLS 2023.2 (hls, xc7z020-clg400-1, 4 ns)"
NETLIST = "vivado: Vivado 2023.2 after Vitis HLS 2023.2 (netlist, xc7z020-clg400-1, 4 ns)"


@pytest.fixture
def run(tmp_path):
    return build_swept(tmp_path / "runs")


@pytest.fixture
def synth(run, tools, capsys):
    """Type `dse synth` on the run: its exit code and what it printed on either stream."""

    def call(*words):
        with pytest.raises(SystemExit) as left:
            main(["synth", str(run.folder), "--jobs", "1", *words])
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return call


def calls(tools):
    """The tools that were called, in order."""
    return [note["tool"] for note in tools.notes if "tool" in note]


def test_the_front_is_synthesised_rung_by_rung_and_nothing_twice(run, tools, synth):
    """Three designs of the front get figures of both rungs' judges; the same command, and the rung below, call nothing more."""
    code, out, err = synth("--rung", "netlist")
    assert (code, err) == (0, "")
    assert calls(tools) == ["vitis-run", "vivado"] * 3
    assert f"tiny: 3 designs for {NETLIST}; 1 at once" in out
    assert f"3 of 5 designs have figures of {NETLIST}." in out
    records = {record.trial: record for record in open_run(run.folder).records}
    assert [judge.name for judge in records[0].judges] == [run.goals.judge.name, HLS, NETLIST]
    assert [judge.name for judge in records[3].judges] == [run.goals.judge.name]
    before = (run.folder / RECORDS_FILE).read_bytes()
    for rung in ("netlist", "hls"):
        code, out, _ = synth("--rung", rung)
        assert code == 0
        assert out.count("it was synthesised before") == 3
    assert calls(tools) == ["vitis-run", "vivado"] * 3
    assert (run.folder / RECORDS_FILE).read_bytes() == before


def test_the_routed_rung_uses_what_the_others_have_left(run, tools, synth):
    """C synthesis ran for hls; for routed only Vivado runs, and its own front can be asked for by name."""
    synth("--trial", "1,3")
    code, _, _ = synth("--rung", "routed", "--front", "--judge", "vitis")
    assert code == 0
    assert calls(tools) == ["vitis-run"] * 2 + ["vivado"]  # of the two, all with the same figures, trial 1 is more accurate
    assert [s.record.trial for s in view(open_run(run.folder), "routed").front] == [1]


DISASTERS = [
    ("hang", "timeout", ("--timeout", "1s")),
    ("killed", "memory", ()),
    ("licence", "licence", ("--licence-wait", "0s")),
    ("crash", "crash", ()),
    ("half", "report", ()),
    ("refused", "tool", ()),
]


@pytest.mark.parametrize(("mode", "kind", "words"), DISASTERS)
def test_a_disaster_is_a_refusal_and_leaves_the_record_as_it_is(run, tools, synth, mode, kind, words):  # noqa: PLR0917
    """Permanent ones are remembered, passing ones tried again by the same command; then the tool is mended."""
    tools.misbehave(mode)
    permanent = kind in ("report", "tool")
    for attempt in (1, 2):
        code, out, err = synth("--trial", "0", *words)
        assert code == 1
        assert f"trial 0: {kind}: " in out
        assert "none of the 1 designs has figures of" in err
        assert len(calls(tools)) == (1 if permanent else attempt)
        record = open_run(run.folder).record(0)
        assert (record.failure, [r.failure.kind for r in record.refusals]) == (None, [kind])
        assert record == view(open_run(run.folder)).front[0].record
    tools.misbehave("")
    code, out, _ = synth("--trial", "0", *(("--retry-failed", kind) if permanent else ()))
    assert (code, open_run(run.folder).record(0).refusals) == (0, ())
    assert f"1 of 5 designs have figures of {HLS}." in out


def test_what_failed_is_shown(run, tools, synth, capsys):
    """`status` says who refused which trials and why, `show` with the log, `export` in a column of its own."""
    tools.misbehave("refused")
    _, out, _ = synth("--trial", "0,1")
    files = next(line.split()[-1] for line in out.splitlines() if "files:" in line)
    assert "vitis-run begins" in Path(files, "hls.log").read_text()
    for words, told in (
        (("status",), "no matching function"),
        (("show", "0"), f"no figures of {HLS}"),
        (("front", "--judge", "vitis"), f"0 of 5 designs have figures of {HLS}."),
    ):
        with pytest.raises(SystemExit):
            main([words[0], str(run.folder), *words[1:]])
        assert told in capsys.readouterr().out, words
    with pytest.raises(SystemExit):
        main(["status", str(run.folder), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [(row["judge"], row["kind"], row["trials"]) for row in found["refusals"]] == [(HLS, "tool", [0, 1])]
    assert found["designs_with_figures"] == {run.goals.judge.name: 4, HLS: 0}


def test_a_machine_that_keeps_failing_stops_the_command(tools, synth):
    """Three designs in a row without a licence: no other would get one."""
    tools.misbehave("licence")
    code, _, err = synth("--trial", "0,1,2,3", "--licence-wait", "0s")
    assert code == 1
    assert "stopped: 3 designs in a row failed with 'licence'" in err


def test_a_cosimulation_is_a_figure_and_asked_for_once(run, tools, synth):
    """The emulation's rows are the test bench; plain synthesis afterwards has nothing to do."""
    code, _, _ = synth("--trial", "0", "--cosim")
    assert code == 0
    found = open_run(run.folder).record(0)
    assert (found.value("agreement_rtl"), found.value("agreement_rtl_n")) == (1.0, 2)
    for words in ((), ("--cosim",)):
        _, out, _ = synth("--trial", "0", *words)
        assert "it was synthesised before" in out
    assert calls(tools) == ["vitis-run"]


def test_rtl_that_differs_is_a_mismatch(run, tools, synth):
    """It has no figures of this judge."""
    tools.misbehave("cosim_wrong")
    code, out, _ = synth("--trial", "0", "--cosim")
    assert code == 1
    assert "trial 0: mismatch: the simulated RTL equals the emulation on 50.00% of 2 rows only" in out
    assert [judge.name for judge in open_run(run.folder).record(0).judges] == [run.goals.judge.name]


def test_it_is_refused_while_a_runner_sweeps(run, tools, synth):
    """One writer at a time."""
    with only_runner(run.folder, "run"):
        code, _, err = synth()
    assert code == 1
    assert "is in use by `dse run`, process" in err
    assert calls(tools) == []


def test_projects_that_were_cleaned_away_are_named(run, synth):
    """`dse clean --keep-front` removed trial 3's: the message says so, and what to do."""
    clean(run.folder, keep_front=True)
    code, _, err = synth("--trial", "3")
    assert code == 2
    assert "no longer holds the generated projects of trials 3 (`dse clean --keep-front`" in err


def test_cleaning_keeps_what_was_synthesised(run, tools, synth):
    """Entries that figures or refusals name are no waste: nothing is synthesised or tried again after it."""
    synth("--trial", "0")
    tools.misbehave("refused")
    synth("--trial", "1")
    clean(run.folder, keep_front=False)
    synth("--trial", "0,1")
    assert calls(tools) == ["vitis-run"] * 2


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--trial", "9"), 2, "no record of trial 9"),
        (("--trial", "x"), 2, "--trial wants numbers, as `dse front` lists them; got x"),
        (("--trial", "4"), 2, r"trial 4 cannot be synthesised: it failed in compress (crash)"),
        (("--trial", "0", "--front"), 2, "--front and --trial exclude each other"),
        (("--trial", "0", "--judge", "vitis"), 2, "with --trial there is none to choose"),
        (("--judge", "vitis"), 2, "judge 'vitis' is none of the judges of this run"),
        (("--timeout", "4"), 2, "--timeout wants a time with its unit, such as 90s, 45min or 4h; got '4'"),
        (("--retry-failed", "x"), 2, "--retry-failed must be one of"),
        (("--rung", "bitstream"), 2, "bitstream"),
    ],
)
def test_wrong_usage_is_said_before_any_tool_is_called(tools, synth, words, code, told):
    """Exit code 2 and one message."""
    found, _, err = synth(*words)
    assert found == code
    assert told in err
    assert calls(tools) == []


def test_missing_tools_are_named(tools, synth):
    """Nothing, an old tool that cannot compile the projects, no Vivado for the upper rungs."""
    for installed, rung, told in (
        ((), "hls", "none of vitis-run, vitis_hls, vivado_hls is in PATH. Source settings64.sh"),
        (("vivado_hls",), "hls", "written for Vitis HLS"),
        (("vitis-run",), "routed", "vivado is not in PATH. Source settings64.sh, or set DSE_VIVADO"),
    ):
        tools.install(*installed)
        code, _, err = synth("--rung", rung)
        assert code == 1
        assert told in err


def test_no_training_library_is_loaded():
    """Figures can be added where only the vendor's tools and this package's small libraries are."""
    code = "import sys, dse.climb, dse.cli; sys.exit(bool({'tensorflow', 'tf_keras', 'qkeras', 'hls4ml'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_ctrl_c_keeps_what_is_finished_and_ends_the_tool(run, tools):
    """Trial 0 is finished, trial 1 hangs: 130, no tool is left, trial 0 keeps its figures, the same command goes on."""
    words = [sys.executable, "-c", "from dse.cli import main; main()", "synth", str(run.folder), "--jobs", "1", "--trial"]
    subprocess.run([*words, "0"], check=True, capture_output=True)
    tools.misbehave("hang")
    with subprocess.Popen([*words, "0,1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while len(calls(tools)) < 2:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "the same command goes on from here" in err
    assert not any(_works_in(pid, run.folder.parent) for pid in Path("/proc").glob("[0-9]*"))
    assert not list(Store(run.folder.parent).folder.glob("drafts/*/work"))
    tools.misbehave("")
    subprocess.run([*words, "0,1"], check=True, capture_output=True)
    assert calls(tools) == ["vitis-run"] * 3
    assert all(len(open_run(run.folder).record(trial).judges) == 2 for trial in (0, 1))


@pytest.mark.timeout(300)
def test_a_killed_command_leaves_no_tool_behind(run, tools):
    """SIGKILL to the runner, whom nobody waits for: its tool, which holds a licence, is ended all the same."""
    tools.misbehave("hang")
    words = [sys.executable, "-c", "from dse.cli import main; main()", "synth", str(run.folder), "--jobs", "1", "--trial", "0"]
    assert not calls(tools)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        while not calls(tools):
            time.sleep(0.05)
        process.kill()
        while any(_works_in(pid, run.folder.parent) for pid in Path("/proc").glob("[0-9]*")):
            time.sleep(0.05)  # the fake hangs for 600 s, which is more than this test may take


def _works_in(pid, folder):
    try:
        return (pid / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False
