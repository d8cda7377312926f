"""Conifer's project in the layout that our drivers and test benches expect."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from vendor_tools import fake_tools, fresh_lab  # noqa: F401

from dse import shell
from dse.bdt import convert, emulate
from dse.bdt.ensemble import Ensemble
from dse.design import PerLayer, Precision
from dse.network import Network
from dse.study import Target
from dse.synth.vitis import Vectors, Vitis
from dse.vendor import Terms

TREE = {
    "feature": [0, 1, -2, -2, -2],
    "threshold": [0.25, -0.5, 0, 0, 0],
    "children_left": [1, 2, -1, -1, -1],
    "children_right": [4, 3, -1, -1, -1],
    "value": [0, 0, -0.5, 0.75, 1.25],
}
ROWS = np.random.default_rng(0).uniform(-2, 2, (40, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """Two trees for one output and the outputs of their compiled emulation."""
    folder = tmp_path_factory.mktemp("converted")
    other = {**TREE, "feature": [2, 0, -2, -2, -2], "value": [0, 0, 0.3, -0.7, 0.1]}
    ensemble = Ensemble.of([(0, TREE), (0, other)], 1, "<").starting(np.array([-0.33]))
    target = Target("xc7z020-clg400-1", 4.0)
    convert.convert(ensemble, Precision(input_width=8, result_width=PerLayer(7)), 3, target, folder)
    network = Network.load(folder)
    told = emulate.run(network, folder / "project", {"probe": ROWS}, folder / "libraries", folder)
    return folder, network, told


def test_the_emulation_is_the_reference_and_close_to_the_trees(converted):
    """Bit for bit the quantised ensemble's; within a few steps of the one that was trained, where no threshold is near."""
    folder, network, told = converted
    assert told["agreement"] == {"probe": 1.0}
    outputs = np.load(folder / "outputs.npz")["probe"]
    assert np.array_equal(outputs, emulate.reference(network, ROWS))
    assert len(np.unique(outputs)) > 3
    assert np.array_equal(np.load(folder / "inputs-probe.npy"), emulate.quantise(ROWS, network.layers[0].result_type))
    assert not network.multipliers
    assert convert.ensemble_of(network).trees == 2


def test_saved_and_loaded_it_is_the_same_network(converted):
    """The digest hangs on trees, types, part and clock."""
    folder, network, _ = converted
    assert Network.load(folder).digest == network.digest
    moved = {**network.weights, "trees/value": network.weights["trees/value"] + 0.25}
    assert replace(network, weights=moved).digest != network.digest
    assert replace(network, clock_ns=5.0).digest != network.digest


@pytest.mark.slow
def test_the_test_bench_prints_what_the_check_compares(converted, tmp_path):
    """Compiled by g++ as by co-simulation, the bench reads our vectors and prints the outputs of the emulation."""
    folder, _, _ = converted
    shutil.copytree(folder / "project", tmp_path / "work")
    outputs = np.load(folder / "outputs.npz")["probe"]
    Vectors(np.load(folder / "inputs-probe.npy"), outputs).write(tmp_path / "work" / "tb_data")
    compiler = str(shell.find("g++", "DSE_CXX"))
    flags = ["-std=c++14", "-DRTL_SIM", f"-I{emulate.types()}", "-Ifirmware"]
    sources = ["myproject_test.cpp", "firmware/myproject.cpp"]
    for argv in ([compiler, *flags, *sources, "-o", "bench"], ["./bench"]):
        assert shell.run(argv, tmp_path / "work", tmp_path / "log").returncode == 0, (tmp_path / "log").read_text()
    printed = np.loadtxt(tmp_path / "work" / "tb_data" / "rtl_cosim_results.log", ndmin=2).reshape(outputs.shape)
    np.testing.assert_allclose(printed, outputs, rtol=1e-5)


@pytest.mark.slow
def test_the_driver_runs_a_project_of_trees(converted, lab):
    """project.tcl is read, the copy is whole, the vectors reach the test bench, the project stays as it was."""
    folder, _, _ = converted
    vectors = Vectors(np.load(folder / "inputs-probe.npy"), np.load(folder / "outputs.npz")["probe"])
    found = replace(lab, project=folder / "project").run(Vitis(terms=Terms(at_once=1)), vectors)
    assert found.values["lut"] == 2109
    assert ["set_clock_uncertainty", "27%", "default"] in lab.tools.commands
    assert not any(path.name.endswith("_prj") for path in (folder / "project").iterdir())
