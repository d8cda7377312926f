"""The README of a package: what the design is, who says what it costs, how to build, simulate and verify it."""

from __future__ import annotations

from dse.listing import figure_text, footnotes, title
from dse.network import Network
from dse.record import Record
from dse.run import Run
from dse.synth.open.rtl import Pipeline

HLS = """## Build

`project/` is hls4ml's project for the {backend} backend, as it was converted; top function `myproject`.

- Vitis HLS 2023.2 or newer: `cd project && vitis-run --mode hls --tcl build_prj.tcl`
- older: `cd project && vitis_hls -f build_prj.tcl`

The steps (C simulation, synthesis, co-simulation, export) are switched in `project/build_opt.tcl`; part and clock are in
`project/project.tcl`. `project/tb_data/` holds the first rows of `vectors/` as the test bench reads them.
"""
VERILOG = """## Build

`rtl/` is the whole network, unrolled: every product is shared additions (distributed arithmetic), no DSP block is used, and one
input enters in every cycle. Top module `network`: `clk`, `model_inp` and `model_out`, elements packed from the lowest bit on
as `rtl/ports.json` has them ([signed, integer bits without the sign, fraction bits] each; inputs are given quantised). Outputs
follow {latency} cycles after their inputs. `rtl/network.xdc` constrains `clk` to the study's target clock. **No tool has said
that this clock is met**: the pipeline is cut by a model of delays.

## Simulate

`sim/run.sh` feeds the rows of `vectors/` and compares every output bit with the emulation; it takes Icarus Verilog and
Verilator, whichever is there.
"""
VERIFY = """## Verify

`dse verify .` checks the digests in `manifest.json`, then
{what}

`vectors/` holds {rows} rows (`inputs.npy`) with the outputs (`outputs.npy`) of hls4ml's compiled emulation: rows of the
validation split, and random rows that provoke overflow and saturation. Inputs are given before they are quantised.
"""
CHECKS = {
    "hls": "compiles the emulation with g++ and compares its outputs with the kept ones, bit for bit.",
    "verilog": "evaluates the adder graph (with alkaid) and runs the simulators that are there, comparing bit for bit.",
}


def text(run: Run, record: Record, network: Network, rows: int, pipeline: Pipeline | None) -> str:
    """The README in Markdown; `pipeline` is that of a package of Verilog."""
    knobs = "\n".join(f"| {name} | {value} |" for name, value in record.design.knobs.items())
    build = HLS.format(backend=network.backend) if pipeline is None else VERILOG.format(latency=pipeline.latency_cycles)
    kind = "hls" if pipeline is None else "verilog"
    return f"""# {run.name}, trial {record.trial}

A design found by dse for {network.part} at {network.clock_ns:g} ns. `record.json` is all that is known of it, `network/` its
layers, types and quantised weights.

| knob | value |
|---|---|
{knobs}

## Figures

{_figures(record)}
{" ".join(footnotes([record]))}

{build}
{VERIFY.format(what=CHECKS[kind], rows=rows)}"""


def _figures(record: Record) -> str:
    """One item for each who has said something, with all figures and their units."""
    lines = []
    for found in record.measurements:
        said = f"{found.source.tool} {found.source.version} ({found.source.level})" if found.judge is None else found.judge.name
        figures = [
            f"{title(found.metric(name))} {figure_text(found.metric(name), value)}" for name, value in found.values.items()
        ]
        lines.append(f"- **{said}**: {', '.join(figures)}")
    return "\n".join(lines) + "\n"
