"""`dse estimate`: figures without a tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from dse.cli.arguments import AsJson
from dse.cli.terminal import Sheet, say, say_json
from dse.design import IO_TYPES, STRATEGIES, Hardware, PerLayer
from dse.errors import StoreError, UsageError

if TYPE_CHECKING:
    from dse.metrics import Measurement
    from dse.network import Network
    from dse.synth.estimate import Feasibility

#: hls4ml's own default part and clock.
PART, CLOCK_NS = "xcvu13p-flga2577-2-e", 5.0
NETWORK_FILE = "layers.json"
FIGURES = ("dsp", "lut", "ff", "bram_18k", "latency_cycles", "interval_cycles")

Model = Annotated[
    Path,
    typer.Argument(
        help="A Keras or QKeras model (.keras, .h5), or a folder: a project of hls4ml's, or a sweep's network.", metavar="MODEL"
    ),
]
PartOption = Annotated[str | None, typer.Option("--part", help=f"FPGA part; default: the network's, else {PART}.")]
ClockOption = Annotated[
    float | None, typer.Option("--clock", metavar="NS", help="Clock period; default: the network's, else 5.")
]
ReuseOption = Annotated[
    int | None, typer.Option("--reuse-factor", min=1, help="Reuse factor of every layer; default: the network's, else 1.")
]
StrategyOption = Annotated[
    str | None, typer.Option("--strategy", help=f"{', '.join(STRATEGIES)}; default: the network's, else latency.")
]
IoOption = Annotated[
    str | None, typer.Option("--io-type", help=f"{' or '.join(IO_TYPES)}; default: the network's, else io_parallel.")
]
CalibrationOption = Annotated[Path | None, typer.Option("--calibration", help="What `dse calibrate` has learned.")]


def estimate(
    model: Model,
    part: PartOption = None,
    clock: ClockOption = None,
    reuse_factor: ReuseOption = None,
    strategy: StrategyOption = None,
    io_type: IoOption = None,
    calibration: CalibrationOption = None,
    as_json: AsJson = False,
) -> None:
    """Estimate what high-level synthesis would state of a network: resources, latency and interval, per layer and in total.

    Figures are graded: "calibrated" lies within published syntheses that the estimate was tested on, "law" follows from how
    the tools build such layers and may be further off; the bounds say how far. A layer that nothing supports is named, and then
    there is no total.

    \b
    Examples:
      dse estimate model.h5 --part xc7z020clg400-1 --strategy resource --reuse-factor 16
      dse estimate my-hls-test --clock 8
      dse estimate runs/store/convert/ab/abcdef --json
    """
    from dse.parts import part as resources_of
    from dse.synth.estimate import Calibration, Estimate, feasibility

    knobs = {"part": part, "clock_ns": clock, "io_type": io_type}
    network = _network(model, {name: value for name, value in knobs.items() if value is not None}, reuse_factor, strategy)
    learned = None if calibration is None else Calibration.load(calibration)
    found = Estimate(calibration=learned).estimate(network)
    shares = resources_of(network.part).utilisation(found.values)
    chance = feasibility(network)
    if as_json:
        say_json(_json(network, found, shares, chance))
        return
    _show(Console(), network, found, shares)
    _show_reuse(Console(), network, reuse_factor)
    _show_chance(Console(), chance)


def _network(model: Path, changes: Mapping[str, Any], reuse_factor: int | None, strategy: str | None) -> Network:
    clock_ns = changes.get("clock_ns", CLOCK_NS)
    if not 0 < clock_ns < 1e4:
        raise UsageError(f"--clock must be a clock period in ns, above 0 and below 10000; got {clock_ns}.")
    _one_of("--strategy", strategy, STRATEGIES)
    _one_of("--io-type", changes.get("io_type"), IO_TYPES)
    if not model.exists():
        raise UsageError(f"{model}: no such file or folder.")
    if model.is_dir() and (place := _kept(model)) is not None:
        return _saved(place, changes, reuse_factor, strategy)
    from dse.nn import read

    if model.is_dir():
        if not (model / read.SETTINGS).is_file():
            raise UsageError(
                f"{model}: neither {NETWORK_FILE} nor {read.SETTINGS}; a `convert` entry in a sweep's store has the former, "
                "a project of hls4ml's the latter."
            )
        layers = {"reuse_factor": reuse_factor, "strategy": strategy}
        return read.read_project(model, {**changes, **{name: value for name, value in layers.items() if value is not None}})
    if model.suffix not in read.SUFFIXES:
        raise UsageError(f"{model}: a model ends in {', '.join(read.SUFFIXES)}; a folder holds a converted network.")
    hardware = Hardware(PerLayer(reuse_factor or 1), PerLayer(strategy or "latency"), changes.get("io_type", "io_parallel"))
    return read.read(model, hardware, changes.get("part", PART), clock_ns)


def _one_of(option: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise UsageError(f"{option} must be one of {', '.join(known)}; got {value!r}.")


def _kept(folder: Path) -> Path | None:
    """Where a sweep keeps the network: in the folder, or beside the project that it is."""
    return next((place for place in (folder, folder.parent) if (place / NETWORK_FILE).is_file()), None)


def _saved(folder: Path, changes: Mapping[str, Any], reuse_factor: int | None, strategy: str | None) -> Network:
    """A network that a sweep has converted, with the knobs changed that were given."""
    from dse.legal import legal_reuse_factors
    from dse.network import Network

    try:
        network = Network.load(folder)
    except StoreError as error:
        raise UsageError(str(error)) from error
    layers = []
    for layer in network.layers:
        if layer.reuse_factor is not None:
            layer = replace(layer, reuse_factor=reuse_factor or layer.reuse_factor, strategy=strategy or layer.strategy)  # noqa: PLW2901
            legal = legal_reuse_factors(layer.n_in, layer.n_out)
            if layer.strategy != "latency" and layer.reuse_factor not in legal:
                shown = ", ".join(map(str, legal[:16])) + (", ..." if len(legal) > 16 else "")
                raise UsageError(f"layer {layer.name}: reuse_factor must be one of ({shown}), got {layer.reuse_factor}.")
        layers.append(layer)
    return replace(network, layers=tuple(layers), **changes)


def _json(network: Network, found: Measurement, shares: Mapping[str, float], chance: Feasibility | None) -> dict[str, Any]:
    odds = None
    if chance is not None:
        odds = {
            "layer": chance.layer,
            "share": chance.share,
            "low": chance.low,
            "high": chance.high,
            "attempts": chance.attempts,
        }
    total = {
        name: {"value": value, "interval": list(found.intervals[name]), "grade": found.grades[name], "share": shares.get(name)}
        for name, value in found.values.items()
    }
    target = {"part": network.part, "clock_ns": network.clock_ns, "io_type": network.io_type}
    judge = "" if found.judge is None else found.judge.name
    layers = {name: dict(row) for name, row in found.layers.items()}
    return {**target, "judge": judge, "total": total, "layers": layers, "synthesises": odds}


def _show(console: Console, network: Network, found: Measurement, shares: Mapping[str, float]) -> None:
    from dse.listing import figure_text
    from dse.metrics import METRICS

    say(
        console,
        f"{network.part}, {network.clock_ns:g} ns, {network.io_type}, judged by {found.judge.name if found.judge else ''}",
    )
    rows = [
        [layer.name, layer.kind, layer.strategy, "" if layer.reuse_factor is None else str(layer.reuse_factor)]
        + [figure_text(METRICS[name], found.layers[layer.name][name]) for name in FIGURES]
        for layer in network.layers
    ]
    Sheet(["layer", "kind", "strategy", "reuse", *FIGURES], rows, numbers=range(3, 4 + len(FIGURES))).show(console)
    say(console, "")
    total = [
        [
            name,
            figure_text(METRICS[name], value),
            METRICS[name].unit,
            " to ".join(figure_text(METRICS[name], bound) for bound in found.intervals[name]),
            found.grades[name],
            f"{shares[name]:.1%}" if name in shares else "",
        ]
        for name, value in found.values.items()
    ]
    Sheet(["total", "value", "unit", "bounds", "grade", "of the part"], total, numbers=[1, 5]).show(console)


def _show_reuse(console: Console, network: Network, asked: int | None) -> None:
    """Say where hls4ml takes another reuse factor than asked: the nearest that the layer allows."""
    others = [f"{layer.name} {layer.reuse_factor}" for layer in network.layers if layer.reuse_factor not in (None, asked)]
    if asked is not None and others:
        say(console, f"\nhls4ml builds no reuse factor {asked} here, but the nearest: {', '.join(others)}.", style="yellow")


def _show_chance(console: Console, chance: Feasibility | None) -> None:
    if chance is not None:
        text = f"{chance.synthesised} of {chance.attempts} known attempts at a layer like {chance.layer} were synthesised"
        say(console, f"\n{text} ({chance.low:.0%} to {chance.high:.0%}).", style="" if chance.share > 0.9 else "yellow")
