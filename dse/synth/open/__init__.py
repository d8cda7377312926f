"""Hardware figures of fully unrolled networks with open tools: alkaid makes adders of them, Yosys maps these to cells.

What is built is hls4ml's distributed arithmetic: products become shared additions, no DSP block is used, one input enters in
every cycle. It is another architecture than hls4ml's latency strategy, and its judges say so by name.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dse import vendor
from dse.errors import StageFailed, ToolNotFound
from dse.fixed import quantise
from dse.metrics import Judge, Measurement, Source
from dse.network import Network
from dse.synth.open import mapping, rtl
from dse.synth.open.mapping import Effort
from dse.synth.open.refuse import refuse
from dse.synth.vectors import Vectors

__all__ = ["LOGIC", "Adders", "Effort", "Open", "evaluated", "facts", "logic_of"]

#: Raised where what is built, or how it is read, changes the figures.
VERSION = 1
#: The adder graph in the entry of the rung `Adders`.
LOGIC = "logic.json.gz"
#: The Verilog in the entry of the rung `Open`.
VERILOG = "verilog.tar.gz"
HOW_TO_GET = 'Install both with: pip install "dse[open]"'


def _version(library: str) -> str:
    """A library's version; ToolNotFound says how to get it."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        raise ToolNotFound(f"{library} is not installed. {HOW_TO_GET}.") from None


def facts() -> list[tuple[str, str, str, str]]:
    """Both libraries: name, version ("" where it is missing), what it makes possible, how to get it."""
    rows = (("alkaid", "unrolled networks as adder graphs and Verilog"), ("pyosys", "dse synth --rung open, with alkaid"))
    found = []
    for name, purpose in rows:
        try:
            found.append((name, _version(name), purpose, ""))
        except ToolNotFound as error:
            found.append((name, "", purpose, str(error)))
    return found


@dataclass(frozen=True)
class Adders:
    """The cost of the adder graph by alkaid's own count: an estimate of look-up tables, exact for registers.

    `latency_cutoff` is how much delay, in units of alkaid's delay model, a pipeline stage may have (an adder without its carry
    chain is about 1.1): a knob, no clock. More than `most_adders` additions are refused before any time is spent.
    """

    latency_cutoff: float = 5.0
    most_adders: int = 50_000

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the figures that it states."""
        return ("dsp", "lut", "ff", "bram_18k", "uram", "latency_cycles", "interval_cycles", "latency_ns", "stages")

    def judge(self, part: str, clock_ns: float | None) -> Judge:
        """The version of alkaid and what is built; the clock only turns cycles into time."""
        version = f"{_version('alkaid')}, distributed arithmetic cut at {self.latency_cutoff:g}"
        return Judge("adders", "alkaid", version, "estimated", part, clock_ns)

    def causes(self, network: Network) -> dict[str, Any]:
        """The network, alkaid and what is set here."""
        return {
            "version": VERSION,
            "network": network.digest,
            "alkaid": _version("alkaid"),
            "latency_cutoff": self.latency_cutoff,
            "most_adders": self.most_adders,
        }

    def refuse(self, network: Network) -> None:
        """StageFailed("unsupported") where the network cannot be unrolled exactly; takes no time."""
        refuse(network, self.most_adders)

    def synthesize(self, network: Network, project: Path, folder: Path, vectors: Vectors | None = None) -> Measurement:  # noqa: ARG002
        """Figures of the adder graph, which stays in `folder`.

        With `vectors` (any inputs and the emulation's outputs) the graph is evaluated on them; StageFailed("mismatch") where
        any output differs in any bit.
        """
        from dse.synth.open.unroll import unroll

        self.refuse(network)
        logic = unroll(network)
        proof = {} if vectors is None else _proved(network, logic, vectors)
        logic.save(folder / LOGIC)
        pipeline = rtl.cut(logic, self.latency_cutoff)
        values = {"lut": float(round(logic.cost)), "dsp": 0.0, **_figures(network, pipeline), **proof}
        source = Source("synthesize", "alkaid", _version("alkaid"), "estimated")
        return Measurement(source, values, self.judge(network.part, network.clock_ns))


@dataclass(frozen=True)
class Open:
    """Cells of the adder graph as Yosys maps them to 6-input look-up tables and carry chains, one pipeline stage at a time.

    A look-up table is counted per cell (inverters too, two small ones are never put into one), registers are those of the
    pipeline. Nothing is placed: no clock is claimed.
    """

    latency_cutoff: float = 5.0
    most_adders: int = 50_000
    effort: Effort = field(default_factory=Effort, compare=False)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the figures that it states."""
        return (*self.hls.metrics, "carry")

    @property
    def hls(self) -> Adders:
        """The rung below: the adder graph."""
        return Adders(self.latency_cutoff, self.most_adders)

    def judge(self, part: str, clock_ns: float | None) -> Judge:
        """Both versions and what is built; the clock only turns cycles into time."""
        below = self.hls.judge(part, clock_ns)
        return Judge("open", "yosys", f"{_version('pyosys')} after {below.tool} {below.version}", "netlist", part, clock_ns)

    def causes(self, network: Network) -> dict[str, Any]:
        """What the graph depends on, Yosys and our script."""
        script = hashlib.sha256(mapping.SCRIPT.read_bytes()).hexdigest()
        return {"version": VERSION, "below": self.hls.causes(network), "yosys": _version("pyosys"), "script": script}

    def refuse(self, network: Network) -> None:
        """StageFailed("unsupported") where the network cannot be unrolled exactly; takes no time."""
        self.hls.refuse(network)

    def synthesize(self, network: Network, project: Path, folder: Path) -> Measurement:
        """Both rungs: the adder graph into `folder/adders`, then its cells."""
        below = folder / "adders"
        below.mkdir(parents=True, exist_ok=True)
        self.hls.synthesize(network, project, below)
        return self.refine(network, below, folder)

    def refine(self, network: Network, below: Path, folder: Path) -> Measurement:
        """Cells of the graph that the rung below has left in `below`; `folder` keeps the Verilog, scripts, logs and counts."""
        verilog = folder / "verilog"
        pipeline = rtl.cut(logic_of(below), self.latency_cutoff, verilog)
        stages = mapping.mapped(verilog, folder / "yosys", self.effort)
        vendor.pack(verilog, ("*.v",), folder / VERILOG)
        shutil.rmtree(verilog)
        cells = {name: float(sum(stage[name] for stage in stages.values())) for name in ("lut", "carry")}
        version = f"{_version('pyosys')}, alkaid {_version('alkaid')}"
        return Measurement(
            source=Source("synthesize", "yosys", version, "netlist"),
            values={**cells, "dsp": 0.0, **_figures(network, pipeline)},
            judge=self.judge(network.part, network.clock_ns),
            layers={name: {metric: float(n) for metric, n in counts.items()} for name, counts in stages.items()},
        )


def _figures(network: Network, pipeline: rtl.Pipeline) -> dict[str, float]:
    """What follows from the pipeline alone; one input enters in every cycle, and there are no memories."""
    return {
        "ff": float(pipeline.register_bits),
        "bram_18k": 0.0,
        "uram": 0.0,
        "latency_cycles": float(pipeline.latency_cycles),
        "latency_ns": pipeline.latency_cycles * network.clock_ns,
        "interval_cycles": 1.0,
        "stages": float(pipeline.stages),
        "delay_units": pipeline.delay,
    }


def logic_of(folder: Path) -> Any:
    """The adder graph (alkaid's CombLogic) that the rung `Adders` has left in its folder."""
    from alkaid.types import CombLogic

    try:
        return CombLogic.load(folder / LOGIC)
    except (OSError, ValueError, EOFError) as error:
        raise StageFailed("report", f"{folder}: no readable adder graph ({error}). Make the rung below again.") from error


def evaluated(network: Network, logic: Any, inputs: np.ndarray) -> np.ndarray:
    """Outputs (n, n_out) of the graph for any inputs (n, n_in), which are first cast to the network's input type."""
    entry = next(layer for layer in network.layers if layer.kind == "input")
    return np.asarray(logic.predict(quantise(inputs, entry.result_type), n_threads=1)).reshape(len(inputs), -1)


def _proved(network: Network, logic: Any, vectors: Vectors) -> Mapping[str, float]:
    """The share of rows that are equal, which is 1; StageFailed("mismatch") otherwise."""
    found = evaluated(network, logic, vectors.inputs)
    equal = np.all(found == vectors.outputs, axis=1)
    if not equal.all():
        row = int(np.argmin(equal))
        raise StageFailed(
            "mismatch",
            f"the adder graph equals the emulation on {equal.mean():.2%} of {len(equal)} rows only; row {row}: "
            f"{found[row].tolist()} instead of {vectors.outputs[row].tolist()}.",
        )
    return {"agreement_logic": 1.0, "agreement_logic_n": float(len(equal))}
