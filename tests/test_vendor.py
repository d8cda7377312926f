"""Which vendor programs there are, and how many of them run at once."""

from __future__ import annotations

import os
import threading

from vendor_tools import build_network, build_project, fake_tools  # noqa: F401

from dse import vendor
from dse.shell import Limits
from dse.synth.vitis import Vitis
from dse.vendor import Terms


def test_facts_say_what_is_there_and_how_to_get_the_rest(tools):
    """Each program with its version and what it makes possible; what is needed and missing with the remedy."""
    rows = {name: (version, purpose, how) for name, version, purpose, how in vendor.facts()}
    assert list(rows) == ["vitis-run", "vivado"]
    assert rows["vitis-run"] == ("2023.2", "dse synth --rung hls", "")
    assert rows["vivado"] == ("2023.2", "dse synth --rung netlist|routed", "")
    tools.install("vivado_hls")
    rows = {name: (version, purpose, how) for name, version, purpose, how in vendor.facts()}
    assert list(rows) == ["vitis-run", "vitis_hls", "vivado_hls", "vivado"]
    assert rows["vivado_hls"][0] == "2023.2"
    version, _, how = rows["vitis_hls"]
    assert version == ""
    assert "set DSE_VITIS_HLS to its full path" in how
    assert "Install AMD Vitis" in how


def test_a_program_too_old_for_its_call_is_not_used(tools):
    """vitis-run before 2023.2 takes no script: the doctor says so."""
    tools.install("vitis-run", version="2023.1")
    (row,) = [row for row in vendor.facts() if row[0] == "vitis-run"]
    assert row[1] == ""
    assert "is of version 2023.1; it takes Tcl scripts since 2023.2" in row[3]


def test_an_environment_variable_decides_between_several(tools, monkeypatch):
    """Who names a program means it, also where a newer kind is in PATH."""
    tools.install("vitis-run", "vitis_hls")
    assert vendor.find_hls().program.name == "vitis-run"
    monkeypatch.setenv("DSE_VITIS_HLS", str(tools.folder / "vitis_hls"))
    assert vendor.find_hls().program.name == "vitis_hls"


def test_packed_rtl_is_the_same_bytes_for_the_same_files(tmp_path):
    """An entry of the store does not depend on when it was made; what was packed comes out again, without folders."""
    for number in range(2):
        (tmp_path / "work" / "a").mkdir(parents=True, exist_ok=True)
        for name in ("b.v", "a.v", "skip.txt"):
            (tmp_path / "work" / "a" / name).write_text(f"module {name}")
        vendor.pack(tmp_path / "work", ("*/*.v",), tmp_path / f"{number}.tar.gz")
        os.utime(tmp_path / "work" / "a" / "a.v", (1, 1))
    assert (tmp_path / "0.tar.gz").read_bytes() == (tmp_path / "1.tar.gz").read_bytes()
    vendor.unpack(tmp_path / "0.tar.gz", tmp_path / "out")
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {"a.v": "module a.v", "b.v": "module b.v"}


def test_no_more_tools_run_at_once_than_agreed(tools, tmp_path):
    """Four syntheses and one slot: each call is followed by its own commands, never by another call."""
    project = build_project(tmp_path / "project")
    vitis = Vitis(terms=Terms(Limits(timeout_s=60.0), at_once=1))
    vitis.causes(build_network())

    def synthesize(number: int) -> None:
        (tmp_path / f"out{number}").mkdir()
        vitis.synthesize(build_network(), project, tmp_path / f"out{number}")

    threads = [threading.Thread(target=synthesize, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    notes = ["call" if "tool" in note else note["tcl"][0] for note in tools.notes]
    runs = " ".join(notes).split("call ")[1:]
    assert len(runs) == 4
    assert all(run.split()[0] == "open_project" and run.split()[-1] == "csynth_design" for run in runs)
