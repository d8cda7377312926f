"""`dse profile` and `dse trace`: values against their types, and where bits are lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from dse.cli.arguments import AsJson, Folder
from dse.cli.terminal import Sheet, say, say_json
from dse.errors import DseError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from dse.data import Data
    from dse.network import Network
    from dse.nn.ranges import Loss, Range

#: hls4ml's own type where nothing else is said.
DEFAULT_TYPE = "ap_fixed<16,6>"
FORMS = (".html", ".png", ".svg")
BUILT_IN = ("digits", "breast_cancer")

Out = Annotated[Path | None, typer.Option("--out", metavar="PATH", help="Draw it: .html, or .png and .svg (dse[image]).")]


def profile(
    model: Annotated[
        Path, typer.Argument(help="A trained model (.keras, .h5), or a converted network's folder.", metavar="MODEL")
    ],
    data: Annotated[
        str, typer.Argument(help=f"A data file (csv, parquet, npz, h5), or {' or '.join(BUILT_IN)}.", metavar="DATA")
    ],
    kind: Annotated[str, typer.Option("--type", help="The type that values are held against, where the model has none.")] = (
        DEFAULT_TYPE
    ),
    label: Annotated[str, typer.Option("--label", help="The data file's column or array of labels.")] = "y",
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many rows are looked at, the first ones.")] = 2048,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Hold the weights and results of each layer against their types: ranges, integer bits needed, overflow and underflow.

    Results are those of real numbers. Overflow is the share of values beyond the type, which would wrap or saturate; underflow
    the share that would become 0. A softmax at the end is left out.

    \b
    Examples:
      dse profile model.keras data.npz
      dse profile model.keras digits --type "ap_fixed<8,3>" --out profile.html
      dse profile runs/store/convert/ab/abcdef data.csv --label class
    """
    from dse.network import FixedType

    _drawable(out)
    try:
        wanted = FixedType.parse(kind)
    except ValueError as error:
        raise UsageError(f"--type: {error}") from error
    found = _profile(model, _data(data, label), wanted, rows)
    if out is not None:
        from dashboards.figures import range_boxes

        _draw(out, range_boxes(f"{model.name}: values against types", [row.as_json() for row in found]))
    if as_json:
        say_json([row.as_json() for row in found])
        return
    _show_ranges(Console(), found)
    if out is not None:
        say(Console(), f"drawn to {out}")


def _data(text: str, label: str) -> Data:
    from dse import datasets

    if text in BUILT_IN:
        found: Data = getattr(datasets, text)()
        return found
    return datasets.from_file(text, label=label)


def _profile(model: Path, data: Data, wanted: Any, rows: int) -> list[Range]:
    from dse.nn import ranges

    if not model.is_dir():
        from dse.nn import anatomy, saved

        found = anatomy.anatomy(model, saved.look(model).digest, classifies=data.task == "classification")
        network, weights = found.network, dict(found.network.weights)
        if not found.typed:
            network = _typed(network, wanted)
    else:
        network = _converted(model)
        weights = ranges.load_float(model) or dict(network.weights)
    return list(ranges.profile(network, weights, _rows(network, data.x, model)[:rows]))


def _converted(folder: Path) -> Network:
    from dse.errors import StoreError
    from dse.network import Network

    try:
        return Network.load(folder)
    except StoreError as error:
        raise UsageError(f"{folder} holds no converted network; the `convert` entry that `dse show` names does.") from error


def _typed(network: Network, kind: Any) -> Network:
    """The network with one type for all weights and results."""
    layers = [
        replace(layer, result_type=kind, weight_type=layer.weight_type and kind, bias_type=layer.bias_type and kind)
        for layer in network.layers
    ]
    return replace(network, layers=tuple(layers))


def _rows(network: Network, x: np.ndarray, model: Path) -> np.ndarray:
    shape = network.layers[0].output_shape
    if x.shape[1:] != shape:
        raise DseError(f"{model} takes inputs of shape {shape}, the data has rows of shape {x.shape[1:]}. Make them agree.")
    return x


def _show_ranges(console: Console, found: Sequence[Range]) -> None:
    heads = ["layer", "values", "lowest", "highest", "median", "integer bits", "type", "overflow", "underflow"]
    rows = [
        [
            row.layer,
            f"{row.part} ({row.count:,})",
            f"{row.low:.4g}",
            f"{row.high:.4g}",
            f"{row.magnitudes[2]:.3g}" if row.magnitudes else "",
            str(row.integer),
            row.type,
            _share(row.overflow),
            _share(row.underflow),
        ]
        for row in found
    ]
    marked = [place for place, row in enumerate(found) if row.overflow > 0]
    Sheet(heads, rows, marked, numbers=[2, 3, 4, 5, 7, 8]).show(console)
    say(console, "median: of |value| that is not 0; integer bits: as many as hold all values, the sign's among them.")


def _share(value: float) -> str:
    return "" if value == 0 else f"{value:.2%}" if value >= 0.0001 else "<0.01%"


def trace(
    folder: Folder,
    trial: Annotated[int, typer.Argument(help="A trial's number, as `dse front` lists it.", metavar="TRIAL")],
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Follow the validation rows that are kept (up to 100) through a design, and tell in which layer bits are lost.

    Each layer's values in fixed point are held against those of the same network in real numbers: with the trained weights of a
    design that was trained for its bits, with the float weights of a trained model that was quantised. The values are those of
    the float64 reference, which the compiled emulation equals on the share of rows that is stated.

    \b
    Examples:
      dse trace runs/digits 17
      dse trace runs/digits 17 --out trace.html
    """
    from dse.evidence import files_of
    from dse.run import open_run

    _drawable(out)
    run = open_run(folder)
    record = run.record(trial)
    files = files_of(run, record)
    built, seen = files.get("convert"), files.get("emulate")
    if built is None or seen is None:
        raise DseError(f"{run.name}, trial {trial}: its files are gone or it was never emulated. `dse run` makes them again.")
    found, against = _trace(built, seen)
    share = record.value("agreement")
    agreement = (
        f"the emulation equals these values' outputs on {'an unknown share' if share is None else f'{share:.2%}'} of the rows"
    )
    if out is not None:
        from dashboards.figures import loss_lines

        _draw(out, loss_lines(f"{run.name}, trial {trial}: where bits are lost", [row.as_json() for row in found]))
    if as_json:
        say_json({"against": against, "agreement": share, "layers": [row.as_json() for row in found]})
        return
    _show_losses(Console(), found)
    say(Console(), f"against the network in real numbers with {against}; {agreement}.")
    if out is not None:
        say(Console(), f"drawn to {out}")


def _trace(built: Path, seen: Path) -> tuple[tuple[Loss, ...], str]:
    import numpy as np

    from dse.nn import ranges

    network, weights = _converted(built), ranges.load_float(built)
    x = np.load(seen / "inputs-validation.npy", allow_pickle=False)
    against = "the same weights" if weights is None else "the weights before they were quantised"
    return ranges.trace(network, weights, x), against


def _show_losses(console: Console, found: Sequence[Loss]) -> None:
    heads = ["layer", "kind", "type", "largest error", "rms error", "relative", "correlation", "overflow", "underflow"]
    rows = [
        [
            row.layer,
            row.kind,
            row.type,
            f"{row.largest:.3g}",
            f"{row.rms:.3g}",
            "" if row.relative is None else f"{row.relative:.2%}",
            "" if row.correlation is None else f"{row.correlation:.5f}",
            _share(row.overflow),
            _share(row.underflow),
        ]
        for row in found
    ]
    steps = [(row.relative or 0) - (before.relative or 0) for before, row in zip((found[0], *found), found, strict=False)]
    marked = [steps.index(max(steps))] if max(steps) > 0 else []
    Sheet(heads, rows, marked, numbers=range(3, 9)).show(console)
    if marked:
        say(console, f"most is lost in {found[marked[0]].layer}.")


def _drawable(out: Path | None) -> None:
    if out is not None and out.suffix.lower() not in FORMS:
        raise UsageError(f"--out {out}: the ending must be one of {', '.join(FORMS)}.")


def _draw(out: Path, figure: Any) -> None:
    from dse.publish import publish

    form = out.suffix.lower().removeprefix(".")
    if form == "html":
        publish(out, figure.to_html(include_plotlyjs=True).encode())
        return
    from dashboards.paper import draw

    publish(out, draw(figure, "png" if form == "png" else "svg"))
