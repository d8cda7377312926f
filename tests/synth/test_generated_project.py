"""The drivers on a project that hls4ml has really written."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from vendor_tools import fake_tools, fresh_lab  # noqa: F401

from dse import legacy_keras, shell
from dse.synth.vitis import Vectors, Vitis
from dse.vendor import Terms

ROWS = np.round(np.random.default_rng(0).uniform(-1, 1, (20, 4)) * 512) / 512


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A dense layer converted bit-exactly, and the outputs of its compiled emulation."""
    folder = tmp_path_factory.mktemp("generated") / "project"
    with legacy_keras.keras_is_tf_keras():
        import hls4ml
        import tf_keras
        from qkeras import QActivation, QDense, quantized_bits

        model = tf_keras.Sequential([tf_keras.layers.Input((4,)), QActivation(quantized_bits(10, 0, alpha=1), name="first")])
        model.add(QDense(2, kernel_quantizer=quantized_bits(6, 0, alpha=1), bias_quantizer=quantized_bits(6, 0, alpha=1)))
        config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Vitis")
        converted = hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, backend="Vitis", output_dir=str(folder), part="xc7z020-clg400-1", bit_exact=True
        )
        converted.compile()
        return folder, converted.predict(ROWS)


@pytest.mark.slow
def test_the_generated_test_bench_prints_what_the_check_compares(generated, tmp_path):
    """Compiled by g++ as by co-simulation, the bench reads our vectors and prints the outputs of the emulation."""
    folder, outputs = generated
    shutil.copytree(folder, tmp_path / "work")
    Vectors(ROWS, outputs).write(tmp_path / "work" / "tb_data")
    compiler = str(shell.find("g++", "DSE_CXX"))
    flags = ["-std=c++14", "-DRTL_SIM", '-DWEIGHTS_DIR="firmware/weights"', "-Ifirmware/ap_types"]
    sources = ["myproject_test.cpp", "firmware/myproject.cpp"]
    for argv in ([compiler, *flags, *sources, "-o", "bench"], ["./bench"]):
        assert shell.run(argv, tmp_path / "work", tmp_path / "log").returncode == 0, (tmp_path / "log").read_text()
    printed = np.loadtxt(tmp_path / "work" / "tb_data" / "rtl_cosim_results.log")
    np.testing.assert_allclose(printed, outputs, rtol=1e-5)


@pytest.mark.slow
def test_the_driver_runs_a_generated_project(generated, lab):
    """project.tcl is read, the copy is whole, the vectors reach the test bench, the project stays as it was."""
    folder, outputs = generated
    found = replace(lab, project=folder).run(Vitis(terms=Terms(at_once=1)), Vectors(ROWS, outputs))
    assert found.values["lut"] == 2109
    assert ["set_clock_uncertainty", "27%", "default"] in lab.tools.commands
    assert not any(path.name.endswith("_prj") for path in folder.iterdir())
