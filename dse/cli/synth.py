"""`dse synth`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from dse.cli.arguments import Folder, RetryFailed, kinds
from dse.errors import DseError, UsageError

if TYPE_CHECKING:
    from dse.climb import Choice, Climbed
    from dse.shell import Limits

Rung = Literal["open", "hls", "netlist", "routed"]
#: Seconds of the units that a time may have.
UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


RungOption = Annotated[
    Rung, typer.Option(help="Open tools, or how far to go with the vendor's: csynth, Vivado synthesis, place and route.")
]
Front = Annotated[bool, typer.Option("--front", help="The designs of the front; the default.")]
TrialList = Annotated[
    list[str] | None, typer.Option(metavar="N", help="These designs instead: --trial 3 --trial 7, or --trial 3,7.")
]
WhoseFront = Annotated[
    str, typer.Option(metavar="NAME", help="Whose front: a judge's name or part of it; default: the study's.")
]
Cosim = Annotated[bool, typer.Option("--cosim", help="Simulate the RTL too, on the emulation's own rows (100 at most).")]
Cutoff = Annotated[
    float, typer.Option(min=1.0, metavar="UNITS", help="Rung open: delay per pipeline stage, about one per adder.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Runs at once; default: 2, or 1 below 16 GB of memory.")]
Timeout = Annotated[str, typer.Option(metavar="TIME", help="What one run of a tool may take: 90s, 45min, 4h.")]
Memory = Annotated[float | None, typer.Option(metavar="GB", min=0.1, help="What one run may hold; default: no limit.")]
Wait = Annotated[str, typer.Option(metavar="TIME", help="How long to ask again for a licence in use.")]


def synth(
    folder: Folder,
    rung: RungOption = "hls",
    front: Front = False,
    trial: TrialList = None,
    judge: WhoseFront = "",
    cosim: Cosim = False,
    latency_cutoff: Cutoff = 5.0,
    jobs: Jobs = None,
    timeout: Timeout = "4h",
    memory: Memory = None,
    licence_wait: Wait = "1h",
    retry_failed: RetryFailed = None,
) -> None:
    """Synthesise designs of a finished sweep with open tools, or with Vitis HLS and Vivado; add the figures to its records.

    The figures of each rung are a judge of their own: `dse front DIR --judge NAME` shows its front. A rung stands on those
    below it; whatever was synthesised before is not synthesised again. A design that a tool fails on keeps its other figures.
    Ctrl-C keeps all that is finished; the same command goes on. Neither the study file nor tensorflow is needed.

    open (extra dse[open]) needs no licence: the network is unrolled into adders (hls4ml's distributed arithmetic, another
    architecture than its latency strategy, so reuse factor 1 and io_parallel), proved equal to the emulation on the validation
    rows and on rows that provoke overflow, and mapped to look-up tables by Yosys. It claims no clock.

    vitis-run, vitis_hls and vivado are taken from PATH (source settings64.sh) or from DSE_VITIS_RUN, DSE_VITIS_HLS and
    DSE_VIVADO; `dse doctor` says what is there. A run takes minutes to hours, 2 to 16 GB of memory and, while it runs, some
    GB of disk, of which reports, logs, scripts and RTL are kept.

    \b
    Examples:
      dse synth runs/digits --rung open
      dse synth runs/digits
      dse synth runs/digits --rung routed --jobs 1 --timeout 8h
      dse synth runs/digits --rung netlist --judge vitis
      dse synth runs/digits --trial 17 --cosim
    """
    from dse.climb import Manner, climb, default_jobs, synthesizer
    from dse.vendor import Terms

    choice, again = _choice(trial or [], judge, front=front), kinds(retry_failed)
    console, jobs = Console(), jobs or default_jobs()
    terms = Terms(_limits(timeout, memory), at_once=jobs, licence_wait_s=seconds("--licence-wait", licence_wait))
    manner = Manner(cosim, jobs, again, console=console)
    _show(climb(folder, choice, synthesizer(rung, terms, latency_cutoff), manner), console)


def _choice(trials: list[str], judge: str, *, front: bool) -> Choice:
    """Which designs are meant; UsageError where two options say different things."""
    from dse.climb import Choice

    if front and trials:
        raise UsageError("--front and --trial exclude each other: give one of them.")
    if judge and trials:
        raise UsageError("--judge says whose front; with --trial there is none to choose.")
    return Choice(numbers(trials), judge)


def _show(found: Climbed, console: Console) -> None:
    """The front of the figures that were added; DseError where no design has any."""
    from dse.cli.results import show_front

    console.print()
    if found.judge in {known for record in found.run.records for known in record.judges}:
        show_front(found.run, console, found.judge.name)
    if not found.stated:
        raise DseError(f"none of the {len(found.failed)} designs has figures of {found.judge.name}; the reasons stand above.")


def _limits(timeout: str, memory: float | None) -> Limits:
    from dse.vendor import Terms

    held = None if memory is None else int(memory * 1e9)
    return replace(Terms().limits, timeout_s=seconds("--timeout", timeout), memory_bytes=held)


def seconds(option: str, text: str) -> float:
    """`90s`, `45min` or `4h` in seconds; UsageError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h)", text.strip())
    if found is None:
        raise UsageError(f"{option} wants a time with its unit, such as 90s, 45min or 4h; got {text!r}.")
    return float(found[1]) * UNITS[found[2]]


def numbers(texts: tuple[str, ...] | list[str]) -> tuple[int, ...]:
    """Trial numbers, several in one text separated by commas; UsageError for anything else."""
    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    wrong = [word for word in words if not word.isdecimal()]
    if wrong or (texts and not words):
        raise UsageError(f"--trial wants numbers, as `dse front` lists them; got {', '.join(wrong) or 'nothing'}.")
    return tuple(map(int, words))
