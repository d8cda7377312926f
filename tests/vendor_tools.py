"""Fake vendor tools on PATH, and a small network and project to give them."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from debian import needed
from synthesizer_contract import files

from dse.errors import StageFailed
from dse.metrics import Measurement
from dse.network import FixedType, Layer, Network
from dse.synth import Synthesizer

FAKES = Path(__file__).with_name("fake_tools")
REPORTS = Path(__file__).with_name("data") / "reports"
VARIABLES = ("DSE_VITIS_RUN", "DSE_VITIS_HLS", "DSE_VIVADO_HLS", "DSE_VIVADO")
T = FixedType(6, 1)


@dataclass(frozen=True)
class Tools:
    """The folder on PATH that holds the fakes, and their notes."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def install(self, *names: str, version: str = "2023.2") -> None:
        """Put these fakes on PATH, and no other vendor tool."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for module in FAKES.glob("*.py"):
            shutil.copy(module, self.folder)
        for name in names:
            text = (FAKES / name).read_text().replace("#!/usr/bin/env python3", f"#!{sys.executable}")
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        self.monkeypatch.setenv("FAKE_VERSION", version)

    def misbehave(self, mode: str) -> None:
        """What every fake does from now on."""
        self.monkeypatch.setenv("FAKE_MODE", mode)

    @property
    def notes(self) -> list[dict]:
        """Calls (`tool`, `argv`, `cwd`) and Tcl commands (`tcl`) in order."""
        path = self.folder.with_name("calls")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def commands(self) -> list[list[str]]:
        """The Tcl commands that were evaluated, with their words."""
        return [note["tcl"] for note in self.notes if "tcl" in note]


def _tcl():
    """Python's Tcl, None where it is not installed."""
    importlib.invalidate_caches()
    try:
        return importlib.import_module("tkinter")
    except ImportError:
        return None


@pytest.fixture(name="tools")
def fake_tools(tmp_path, monkeypatch) -> Tools:
    """All fakes on PATH, which holds nothing else."""
    needed("Python's own Tcl, with which the fake tools evaluate scripts,", _tcl, "python3-tk")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("FAKE_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAKE_REPORTS", str(REPORTS))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    found = Tools(tmp_path / "bin", monkeypatch)
    found.install("vitis-run", "vivado")
    return found


def build_network(backend: str = "Vitis") -> Network:
    """Two dense layers of made-up weights."""
    layers = (
        Layer("in", "input", (), (2,), (2,), T),
        Layer("fc1", "dense", ("in",), (2,), (2,), T, T, T, T, "latency", 1, {"n_in": 2, "n_out": 2}),
    )
    weights = {"fc1/weight": np.array([[0.5, -0.25], [0.0, 1.0]]), "fc1/bias": np.zeros(2)}
    return Network(layers, ("fc1",), "io_parallel", "xc7z020-clg400-1", 4.0, backend, "1.3.0", weights)


def build_project(folder: Path) -> Path:
    """What hls4ml writes, as far as the drivers read it."""
    (folder / "firmware" / "weights").mkdir(parents=True)
    (folder / "tb_data").mkdir()
    (folder / "firmware" / "myproject.cpp").write_text("void myproject() {}\n")
    (folder / "firmware" / "weights" / "w2.txt").write_text("0.5\n")
    (folder / "myproject_test.cpp").write_text("int main() { return 0; }\n")
    (folder / "project.tcl").write_text(
        'variable project_name\nset project_name "myproject"\nset part "other"\n'
        "set clock_uncertainty 27%\nset maximum_size 4096\n"
    )
    return folder


@dataclass(frozen=True)
class Lab:
    """A network, its project, a folder for what is made of it, and the fake tools that make it."""

    network: Network
    project: Path
    out: Path
    tools: Tools

    def run(self, synthesizer: Synthesizer, *more) -> Measurement:
        """Synthesize into `out`."""
        return synthesizer.synthesize(self.network, self.project, self.out, *more)

    def fail(self, synthesizer: Synthesizer, *more) -> StageFailed:
        """The StageFailed that a synthesis ends with."""
        with pytest.raises(StageFailed) as failed:
            self.run(synthesizer, *more)
        return failed.value

    @property
    def calls(self) -> list[str]:
        """The tools that were called, in order."""
        return [note["tool"] for note in self.tools.notes if "tool" in note]

    @property
    def kept(self) -> dict[str, bytes]:
        """The files in `out`."""
        return files(self.out)


@pytest.fixture(name="lab")
def fresh_lab(tools, tmp_path) -> Lab:
    """One of each."""
    (tmp_path / "out").mkdir()
    return Lab(build_network(), build_project(tmp_path / "project"), tmp_path / "out", tools)


def replay(folder: Path, *arguments: Path) -> None:
    """Run a folder's run.sh by hand, in an environment that holds what the fakes need."""
    environment = {name: value for name, value in os.environ.items() if name.startswith("FAKE_")}
    subprocess.run(["/bin/sh", folder / "run.sh", *arguments], check=True, env={"PATH": "/usr/bin:/bin", **environment})
