"""The package of an unrolled design: Verilog, constraints, a self-checking test bench, and the checks of them."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from dse import shell
from dse.errors import StageFailed, ToolNotFound
from dse.network import Network
from dse.package import hls
from dse.shell import Limits
from dse.synth.open import LOGIC, evaluated, logic_of, rtl
from dse.synth.open.bench import Bench
from dse.synth.vectors import Vectors

SIMULATORS = (("iverilog", "DSE_IVERILOG"), ("verilator", "DSE_VERILATOR"))
LIMITS = Limits(timeout_s=3600.0)
CONSTRAINTS = """# The study's target clock. No delays of the ports are set: add those of the surrounding design.
create_clock -name clk -period {clock_ns:g} [get_ports clk]
"""


def fill(folder: Path, network: Network, vectors: Vectors, logic: Path, latency_cutoff: float) -> rtl.Pipeline:
    """Write Verilog, constraints, test bench and the adder graph, which the entry `logic` of the store holds."""
    pipeline = rtl.cut(logic_of(logic), latency_cutoff, folder / "rtl")
    Bench(network, pipeline).write(folder / "sim", vectors)
    (folder / "rtl" / f"{rtl.TOP}.xdc").write_text(CONSTRAINTS.format(clock_ns=network.clock_ns))
    (folder / "rtl" / "ports.json").write_text(json.dumps(pipeline.ports.as_json()) + "\n")
    shutil.copyfile(logic / LOGIC, folder / LOGIC)
    hls.keep(folder, vectors)
    return pipeline


def check(folder: Path) -> list[str]:
    """Evaluate the adder graph where alkaid is there, and simulate the Verilog with each simulator that is there.

    StageFailed("mismatch") where an output differs in any bit.
    """
    network, vectors = Network.load(folder / "network"), hls.kept(folder)
    told = []
    try:
        hls.same("adder graph", evaluated(network, logic_of(folder), vectors.inputs), vectors.outputs)
        told.append(f"the adder graph gives the kept outputs on {len(vectors.inputs)} rows, bit for bit")
    except ImportError:
        told.append('the adder graph was not evaluated: alkaid is not installed (pip install "dse[open]")')
    return told + [_simulated(folder, *simulator) for simulator in SIMULATORS]


def _simulated(folder: Path, name: str, variable: str) -> str:
    try:
        shell.find(name, variable, f"Install it (Debian/Ubuntu: apt-get install {name})")
    except ToolNotFound as error:
        return f"not simulated with {name}: {error}"
    with tempfile.TemporaryDirectory(prefix="dse-verify-") as scratch:
        log = Path(scratch) / "simulation.log"
        done = shell.run(["/bin/sh", str((folder / "sim" / "run.sh").resolve()), name], Path(scratch), log, limits=LIMITS)
        said = shell.tail(log)
    if done.returncode == 0:
        return said.strip().splitlines()[-1]
    if "FAIL: " in said:
        raise StageFailed("mismatch", f"the simulation with {name} does not give the kept outputs: {said.strip()[-500:]}", said)
    why = f"{name} did not simulate the Verilog, which says nothing of its outputs (exit code {done.returncode})"
    raise StageFailed("tool", f"{why}: {said.strip()[-500:]}", said)
