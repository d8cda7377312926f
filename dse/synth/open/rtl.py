"""Adder graphs as pipelined Verilog, and values as the packed bits of its ports."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

#: The top module: ports clk, model_inp and model_out.
TOP = "network"
#: Remarks for newer versions of Verilator, which older ones refuse.
_LINT = re.compile(r"^[ \t]*/[/*] *verilator lint_(?:on|off).*\n", re.MULTILINE)
#: A port's elements from the lowest bit on: (signed, integer bits without the sign, fraction bits) each.
Precisions = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Ports:
    """How the bits of the two data ports are laid out."""

    inputs: Precisions
    outputs: Precisions

    def as_json(self) -> dict[str, list[list[int]]]:
        """Plain lists."""
        return {"inputs": [list(p) for p in self.inputs], "outputs": [list(p) for p in self.outputs]}


@dataclass(frozen=True)
class Pipeline:
    """A graph cut into stages with registers between them and at both ends.

    `delay` is that of the whole graph by alkaid's delay model, in its units (an adder without its carry is about 1.1); it is no
    time. The graph is cut into stages of at most `latency_cutoff` units.
    """

    ports: Ports
    stages: int
    register_bits: int
    delay: float

    @property
    def latency_cycles(self) -> int:
        """Clock edges from an input being presented to its output being visible: one per rank of registers."""
        return self.stages + 1


def cut(logic: Any, latency_cutoff: float, folder: Path | None = None) -> Pipeline:
    """Cut alkaid's CombLogic where the delay model passes `latency_cutoff`; writes `folder/*.v` where a folder is given."""
    from alkaid.codegen import RTLModel

    with tempfile.TemporaryDirectory(prefix="dse-rtl-") as scratch, contextlib.redirect_stdout(io.StringIO()):
        model = RTLModel(logic, Path(scratch), TOP, latency_cutoff=latency_cutoff, print_latency=False)
        if folder is not None:
            model.write()
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(Path(scratch).glob("src/**/*.v")):
                if path.name != f"{TOP}_wrapper.v":
                    (folder / path.name).write_text(_LINT.sub("", path.read_text()))
    ports = Ports(*(_precisions(signals) for signals in (model.fsm.inp_signals, model.fsm.out_signals)))
    stages = list(model.fsm.logic.values())
    delay = max((float(op.latency) for stage in stages for op in stage.ops), default=0.0)
    return Pipeline(ports, len(stages), int(model.reg_bits), delay)


def _precisions(signals: Any) -> Precisions:
    return tuple((int(p.signed), int(p.integers), int(p.fractional)) for signal in signals for p in signal.precisions)


def packed(values: np.ndarray, precisions: Precisions) -> list[int]:
    """Rows (n, elements) as one number of bits each, the first element lowest; what has no room is cut, as wires do."""
    rows = [0] * len(values)
    place = 0
    for column, (signed, integer, fraction) in zip(np.asarray(values, dtype=np.float64).T, precisions, strict=True):
        width = signed + integer + fraction
        if width > 0:
            steps = np.floor(column * 2.0**fraction)
            rows = [row | (int(step) % (1 << width)) << place for row, step in zip(rows, steps, strict=True)]
            place += width
    return rows


def width(precisions: Precisions) -> int:
    """Bits of a port."""
    return sum(max(sum(p), 0) for p in precisions)


def hexadecimal(rows: list[int], bits: int) -> str:
    """Rows for `$readmemh`, one a line."""
    return "".join(f"{row:0{-(-bits // 4)}x}\n" for row in rows)
