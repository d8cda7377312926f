"""A self-checking test bench for generated Verilog, for Icarus Verilog and Verilator alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dse.fixed import quantise
from dse.network import Network
from dse.synth.open.rtl import TOP, Pipeline, hexadecimal, packed, width
from dse.synth.vectors import Vectors

BENCH = """`timescale 1ns / 1ps
// Feeds one row in every cycle and compares what comes out {latency} cycles later with the emulation, bit for bit.
module bench;
  localparam ROWS = {rows}, LATENCY = {latency};
  reg clk = 1'b0;
  reg [{inputs}:0] rows [0:ROWS-1];
  reg [{outputs}:0] expected [0:ROWS-1];
  reg [{inputs}:0] x = {{{inputs}+1{{1'b0}}}};
  wire [{outputs}:0] y;
  integer n, wrong = 0;

  {top} dut (.clk(clk), .model_inp(x), .model_out(y));

  always #{half} clk = ~clk;

  initial begin
    $readmemh("inputs.hex", rows);
    $readmemh("outputs.hex", expected);
    for (n = 0; n < ROWS + LATENCY; n = n + 1) begin
      @(negedge clk);
      if (n >= LATENCY && y !== expected[n - LATENCY]) begin
        wrong = wrong + 1;
        if (wrong <= 10) $display("row %0d: %h instead of %h", n - LATENCY, y, expected[n - LATENCY]);
      end
      if (n < ROWS) x = rows[n];
    end
    if (wrong == 0) $display("PASS: %0d rows equal the emulation", ROWS);
    else $display("FAIL: %0d of %0d rows differ from the emulation", wrong, ROWS);
    $finish;
  end
endmodule
"""
#: Both are run where they are there; the last line printed decides. Exit code 1: other outputs, 3: the Verilog is refused.
RUN = """#!/bin/sh
# Simulates the Verilog on the test vectors with each simulator that is there, or with those that are named:
#   ./run.sh [iverilog] [verilator]
set -eu
cd "$(dirname "$0")"
iverilog=${DSE_IVERILOG:-iverilog} verilator=${DSE_VERILATOR:-verilator}
if [ $# -eq 0 ]; then
    if command -v "$iverilog" > /dev/null; then set -- iverilog; fi
    if command -v "$verilator" > /dev/null; then set -- "$@" verilator; fi
fi
refused() { echo "$1 cannot compile rtl/ with sim/bench.v; its words are above" >&2; exit 3; }
[ $# -gt 0 ] || { echo "neither iverilog nor verilator is in PATH (Debian/Ubuntu: apt-get install iverilog)" >&2; exit 2; }
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
for name in "$@"; do
    case $name in
        iverilog)
            "$iverilog" -g2012 -s bench -o "$build/bench" bench.v ../rtl/*.v || refused iverilog
            vvp -n "$build/bench" > "$build/said" ;;
        verilator) "$verilator" --binary --timing -Wno-lint -Wno-fatal -O3 --top-module bench --Mdir "$build/obj" -o bench \\
            bench.v ../rtl/*.v > "$build/log" 2>&1 || { cat "$build/log" >&2; refused verilator; }
            "$build/obj/bench" > "$build/said" ;;
        *) echo "unknown simulator: $name" >&2; exit 2 ;;
    esac
    echo "$name: $(grep -v '^- ' "$build/said")"
    grep -q '^PASS' "$build/said" || exit 1
done
"""


@dataclass(frozen=True)
class Bench:
    """What a test bench needs to know of a design."""

    network: Network
    pipeline: Pipeline

    def write(self, folder: Path, vectors: Vectors) -> None:
        """Write `bench.v`, the rows as hexadecimal files and `run.sh`, which expects the Verilog in `../rtl`."""
        folder.mkdir(parents=True, exist_ok=True)
        ports = self.pipeline.ports
        entry = next(layer for layer in self.network.layers if layer.kind == "input")
        inputs = quantise(np.asarray(vectors.inputs, dtype=np.float64), entry.result_type)
        sizes = width(ports.inputs), width(ports.outputs)
        (folder / "inputs.hex").write_text(hexadecimal(packed(inputs, ports.inputs), sizes[0]))
        (folder / "outputs.hex").write_text(hexadecimal(packed(vectors.outputs, ports.outputs), sizes[1]))
        text = BENCH.format(
            rows=len(inputs),
            latency=self.pipeline.latency_cycles,
            inputs=sizes[0] - 1,
            outputs=sizes[1] - 1,
            top=TOP,
            half=f"{self.network.clock_ns / 2:g}",
        )
        (folder / "bench.v").write_text(text)
        (folder / "run.sh").write_text(RUN)
        (folder / "run.sh").chmod(0o755)
