"""The generated Verilog, and what Yosys makes of it, in simulators: the emulation's outputs bit for bit."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from alkaid.trace import FVArray, HWConfig, trace
from alkaid.trace.passes import optimize
from build_unrolled import ENTERING, cnn, mlp, silent
from simulators import simulator

from dse import proof
from dse.fixed import quantise
from dse.network import FixedType
from dse.nn.reference import reference
from dse.synth.open import Effort, mapping, rtl
from dse.synth.open.bench import Bench
from dse.synth.open.cast import cast
from dse.synth.open.rtl import Ports, hexadecimal, packed, width
from dse.synth.open.unroll import unroll
from dse.synth.vectors import Vectors


def written(net, folder, *, cutoff=5.0, rows=60):
    """Verilog and test bench of a network."""
    x = proof.provoking(net, rows)
    outputs = reference(net, x.reshape(-1, *net.layers[0].output_shape)).reshape(len(x), -1)
    pipeline = rtl.cut(unroll(net), cutoff, folder / "rtl")
    Bench(net, pipeline).write(folder / "sim", Vectors(x, outputs))
    return pipeline


def simulated(folder, name):
    """What the package's own script says, and whether it is content."""
    simulator(name)
    done = subprocess.run([str(folder / "sim" / "run.sh"), name], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("net", "cutoff"), [(mlp(), 2.5), (mlp(), 50.0), (silent(), 5.0)], ids=["deep", "shallow", "silent"])
def test_the_verilog_gives_the_emulations_outputs_in_icarus(tmp_path, net, cutoff):
    """One row enters in every cycle; deep pipelines and shallow ones, constant outputs and inputs that nobody reads."""
    pipeline = written(net, tmp_path, cutoff=cutoff)
    assert simulated(tmp_path, "iverilog") == (0, "iverilog: PASS: 60 rows equal the emulation\n")
    assert pipeline.stages == (1 if cutoff == 50 else pipeline.stages)


def test_one_wrong_bit_is_seen(tmp_path):
    """A bench that always passes proves nothing; neither does one that looks a cycle too late."""
    written(mlp(), tmp_path)
    path = tmp_path / "sim" / "outputs.hex"
    lines = path.read_text().splitlines()
    lines[5] = lines[5][:-1] + f"{int(lines[5][-1], 16) ^ 1:x}"
    path.write_text("\n".join(lines) + "\n")
    code, said = simulated(tmp_path, "iverilog")
    assert code == 1
    assert "row 5: " in said
    assert "FAIL: 1 of 60 rows differ from the emulation" in said
    bench = tmp_path / "sim" / "bench.v"
    bench.write_text(bench.read_text().replace("LATENCY = ", "LATENCY = 1 + "))
    assert simulated(tmp_path, "iverilog")[0] == 1


@pytest.mark.slow
@pytest.mark.parametrize("net", [mlp(), cnn()], ids=["mlp", "cnn"])
def test_the_verilog_gives_the_emulations_outputs_in_verilator(tmp_path, net):
    """A second simulator, which reads Verilog more strictly."""
    written(net, tmp_path)
    assert simulated(tmp_path, "verilator") == (0, "verilator: PASS: 60 rows equal the emulation\n")


@pytest.mark.slow
def test_the_mapped_cells_compute_the_same(tmp_path, monkeypatch):
    """The netlist of look-up tables and carry chains, with the vendor's cells as Yosys models them, in place of the Verilog."""
    written(mlp(), tmp_path, rows=40)
    script = tmp_path / "map.ys"
    cells_of = "techmap -map +/xilinx/lut_map.v -D LUT_WIDTH=6\n"
    script.write_text(mapping.SCRIPT.read_text() + cells_of + "write_verilog -noattr -noexpr ../../netlist/{stage}.v\n")
    monkeypatch.setattr(mapping, "SCRIPT", script)
    (tmp_path / "netlist").mkdir()
    found = mapping.mapped(tmp_path / "rtl", tmp_path / "yosys", Effort())
    cells = Path(next(iter(importlib.util.find_spec("pyosys").submodule_search_locations))) / "share/xilinx/cells_sim.v"
    shutil.copy(tmp_path / "rtl" / "network.v", tmp_path / "netlist")
    shutil.copy(cells, tmp_path / "netlist")
    shutil.rmtree(tmp_path / "rtl")
    (tmp_path / "netlist").rename(tmp_path / "rtl")
    stage = (tmp_path / "rtl" / "logic0.v").read_text()
    assert stage.count(" LUT") + stage.count(" INV ") == found["logic0"]["lut"]
    assert simulated(tmp_path, "iverilog") == (0, "iverilog: PASS: 40 rows equal the emulation\n")


def test_casts_are_built_as_they_are_evaluated(tmp_path):
    """The modes that are composed here, in Verilog: the simulator against exact float64 casts."""
    types = [
        FixedType(7, 2, True, "TRN_ZERO", "SAT_ZERO"),
        FixedType(7, 3, False, "RND_INF", "SAT"),
        FixedType(6, 2, True, "RND_ZERO", "SAT_SYM"),
        FixedType(5, 2, True, "RND_MIN_INF", "WRAP"),
        FixedType(30, 1, True, "RND", "SAT_SYM"),
    ]
    entering = FixedType(36, 4)
    bits = (np.array([n]) for n in (1, entering.integer - 1, entering.fraction))
    x = FVArray.from_kif(*bits, HWConfig(1, 1, -1))
    made = FVArray(np.concatenate([np.asarray(cast(x, to)) for to in types]), hwconf=HWConfig(1, 1, -1))
    values = np.random.default_rng(0).integers(-(2**35), 2**35, 80) * entering.step
    values[:40] = np.round(values[:40] * 32) / 32
    pipeline = rtl.cut(optimize(trace(x, made, optimize=False), retrace=False), 5.0, tmp_path / "rtl")
    net = mlp()
    net = type(net)(
        (type(net.layers[0])("x", "input", (), (1,), (1,), entering),), ("x",), "io_parallel", "p", 5.0, "V", "1", {}
    )
    expected = np.stack([quantise(values, to) for to in types], axis=1)
    Bench(net, pipeline).write(tmp_path / "sim", _wide(values, expected))
    assert simulated(tmp_path, "iverilog") == (0, "iverilog: PASS: 80 rows equal the emulation\n")


def _wide(inputs, outputs):
    """Rows of more bits than a float32 has."""
    found = object.__new__(Vectors)
    object.__setattr__(found, "inputs", inputs.reshape(-1, 1))
    object.__setattr__(found, "outputs", outputs)
    return found


def test_values_are_packed_from_the_lowest_bit_on():
    """Two's complement in each element's own width; elements without bits take no place."""
    ports = Ports(((1, 1, 2), (0, 0, 0), (0, 2, 1)), ((1, 1, 2),))
    assert width(ports.inputs) == 7
    assert packed(np.array([[-0.25, 0.0, 3.5], [1.75, 0.0, 0.5]]), ports.inputs) == [0b111_1111, 0b001_0111]
    assert hexadecimal([0b1111111, 3], 7) == "7f\n03\n"
    assert ports.as_json() == {"inputs": [[1, 1, 2], [0, 0, 0], [0, 2, 1]], "outputs": [[1, 1, 2]]}
    assert ENTERING.width == 8
