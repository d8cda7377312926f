"""`dse report` prints every figure that it can read and says what it cannot."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dse.cli.report import report
from dse.synth import reports

DATA = Path(__file__).parents[1] / "data" / "reports"
SHARED = Path(os.environ.get("DSE_SHARED", Path(__file__).parents[3] / "shared")) / "reports"
KEYS = {
    *("file", "kind", "tool", "version", "part", "clock_target_ns", "clock_estimated_ns", "latency_min", "latency_max"),
    *("interval_min", "interval_max", "bram_18k", "dsp", "ff", "lut", "uram", "wns_ns", "power_w", "modules"),
}
app = typer.Typer()
app.command()(report)


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def tree(tmp_path):
    """Two projects: in the one a good report, a half one and a file that is none, in the other a good one."""
    for folder, name in (("a/syn/report", "vitis_hls_2022.2_csynth.rpt"), ("b", "vivado_2019.1_timing_routed.rpt")):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(DATA / name, tmp_path / folder)
    whole = (DATA / "vivado_2024.1_utilization.rpt").read_text()
    (tmp_path / "a" / "half.rpt").write_text(whole[: len(whole) // 2])
    (tmp_path / "a" / "component.xml").write_text("<component/>" * 1000)
    (tmp_path / "a" / "drc.rpt").write_text("Report DRC\n")
    (tmp_path / "a" / "notes.txt").write_text("== Vitis HLS Report for 'x'\n")
    return tmp_path


def test_json_is_a_list_with_the_promised_keys(tree):
    """One object per report with all figures, or the file and its error; nothing for files that are no reports."""
    found = json.loads(run(tree, "--json").stdout)
    good = [row for row in found if "error" not in row]
    assert [Path(row["file"]).name for row in good] == ["vitis_hls_2022.2_csynth.rpt", "vivado_2019.1_timing_routed.rpt"]
    assert all(set(row) >= KEYS for row in good)
    assert (good[0]["lut"], good[0]["latency_max"], good[0]["wns_ns"], good[1]["wns_ns"]) == (2109, 17, None, 0.622)
    assert [module["instance"] for module in good[0]["modules"]] == ["grp_dense_fu_69"]
    bad = [row for row in found if "error" in row]
    assert [Path(row["file"]).name for row in bad] == ["half.rpt"]
    assert set(bad[0]) == {"file", "error"}
    assert "half.rpt: no " in bad[0]["error"]


def test_a_report_in_error_keeps_no_other_from_being_printed(tree):
    """A tree with one broken report prints the others, names the broken one and what is no report, and succeeds."""
    done = run(tree)
    assert done.exit_code == 0
    assert "2,109" in done.stdout
    assert "4.17 → 3.548" in done.stdout
    assert "half.rpt: no " in done.stderr
    assert "no figures that are known in 1 of the files: " in done.stderr
    assert "drc.rpt" in done.stderr


def test_the_exit_code_is_1_for_a_named_file_in_error_and_where_nothing_could_be_read(tree, tmp_path):
    """What somebody asked for by name must not fail quietly."""
    good, half = tree / "b" / "vivado_2019.1_timing_routed.rpt", tree / "a" / "half.rpt"
    assert run(good).exit_code == 0
    assert run(good, tree / "a").exit_code == 0
    for words in ([good, half], [half], [good, tree / "absent.rpt"], [good, tree / "a" / "drc.rpt"]):
        done = run(*words)
        assert done.exit_code == 1
        assert ("0.622" in done.stdout) == (good in words)
    (tmp_path / "empty").mkdir()
    done = run(tmp_path / "empty")
    assert done.exit_code == 1
    assert "no report in" in done.stderr


def test_a_file_found_twice_is_read_once(tree):
    """A tree and a file in it, or two names of one folder: one row."""
    done = run(tree, tree / "b" / "vivado_2019.1_timing_routed.rpt", tree / "a" / ".." / "b", "--json")
    assert [row.get("wns_ns") for row in json.loads(done.stdout)].count(0.622) == 1


def test_unknown_and_ranges_are_shown_as_such():
    """`?` where the tool says that it does not know; both ends where latency varies; nothing where it is not stated."""
    unknown = run(DATA / "vivado_hls_2019.1_unknown_latency_csynth.rpt").stdout.splitlines()[-1]
    assert unknown.split().count("?") == 2
    varying = run(DATA / "vivado_hls_2018.2_csynth.rpt").stdout
    assert "3,300-3,310" in varying
    assert "801-3,201" in varying
    assert "lut" not in run(DATA / "vivado_2019.1_timing_routed.rpt").stdout


@pytest.mark.skipif(not SHARED.exists(), reason=f"no genuine reports: {SHARED} is absent")
def test_all_genuine_reports_are_printed_without_an_error():
    """229 of the 235 files hold figures; no column of figures is cut off."""
    done = run(SHARED)
    assert done.exit_code == 0
    assert "dse: " not in done.stderr.replace("dse: no figures that are known in 1 of the files", "")
    found = json.loads(run(SHARED, "--json").stdout)
    assert len(found) == 229
    assert not any("error" in row for row in found)
    for row in found:
        if row["lut"] is not None:
            assert (f"{row['lut']:,}" if row["lut"] >= 1000 else f" {row['lut']} ") in done.stdout
    assert {row["kind"] for row in found} <= {*reports.PARSERS, "timing_path", "utilization_hierarchy"}
