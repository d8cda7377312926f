"""`dse package` and `dse verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from dse.cli.arguments import Folder
from dse.cli.terminal import say
from dse.errors import DseError

Kind = Literal["hls", "verilog"]


def package(
    folder: Folder,
    trial: Annotated[int, typer.Option(metavar="N", help="The design, as `dse front` lists it.")],
    out: Annotated[Path, typer.Option(metavar="PATH", help="The folder to write; it must not exist or be empty.")],
    kind: Annotated[Kind, typer.Option("--as", help="hls4ml's project, or the unrolled network as Verilog.")] = "hls",
    latency_cutoff: Annotated[
        float, typer.Option(min=1.0, metavar="UNITS", help="Verilog: delay per pipeline stage, in units of about one adder.")
    ] = 5.0,
) -> None:
    """Write one design as a folder that can be built, simulated and verified without the sweep.

    Both kinds hold the record with every figure's source, the network, test rows with the emulation's outputs, a README and a
    manifest with digests. hls: the project as it builds, with scripts. verilog (extra dse[open]): the network unrolled
    (io_parallel, reuse factor 1), constraints, and a test bench for Icarus Verilog and Verilator.

    \b
    Examples:
      dse package runs/digits --trial 17 --out digits-17
      dse package runs/digits --trial 17 --as verilog --out digits-17-rtl && digits-17-rtl/sim/run.sh
      dse verify digits-17
    """
    from dse.package import package as write
    from dse.run import open_run

    made = write(open_run(folder), trial, kind, out, latency_cutoff)
    console = Console()
    say(console, f"{made}: trial {trial} as {kind}; {made}/README.md says how to build it, `dse verify {made}` checks it.")
    if kind == "verilog":
        add = f"dse synth {folder} --rung open --trial {trial} --latency-cutoff {latency_cutoff:g}"
        say(console, f"The package's record states figures of open synthesis too. The run's does not: `{add}` adds them there.")


def verify(
    folder: Annotated[Path, typer.Argument(help="A package that `dse package` has written.", metavar="PATH")],
) -> None:
    """Check a package: its digests, and that what it builds gives the kept outputs, bit for bit. Exit code 1 where not.

    \b
    Example:
      dse verify digits-17
    """
    from dse.package import verify as check

    found, console = check(folder), Console()
    for line in found.checked:
        say(console, f"checked: {line}")
    for line in found.wrong:
        say(console, f"wrong: {line}", style="red")
    if found.wrong:
        raise DseError(f"{folder} is not as it was made.")
    say(console, f"{folder} is as it was made.")
