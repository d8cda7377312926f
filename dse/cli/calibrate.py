"""`dse calibrate`: the estimate learns from one's own tool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dse.cli.arguments import AsJson
from dse.cli.terminal import Sheet, say, say_json
from dse.errors import UsageError

if TYPE_CHECKING:
    from dse.synth.estimate import Calibration, Outcome


def calibrate(
    folders: Annotated[list[Path], typer.Argument(help="Folders of sweeps with figures of a vendor's tool.", metavar="DIR...")],
    out: Annotated[Path, typer.Option("--out", help="Where to write what was learned.")] = Path("calibration.json"),
    tool: Annotated[
        str, typer.Option("--tool", help="Part of the tool's name, version or level, where there are several.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Correct the estimate by the vendor's figures in finished sweeps, for that tool version and part.

    Prints the symmetric error of each figure before, and after on designs that were left out. A figure keeps its correction
    only where that is better. The result is a judge of its own: `Study(..., synthesizer=Estimate(calibration=
    "calibration.json"))`. A sweep that goes on with it has all its records estimated again first.

    \b
    Examples:
      dse calibrate runs/digits runs/jets --tool 2023.2 --out vitis.json
      dse run studies/digits.py --set synthesizer.calibration=vitis.json
    """
    from dse.run import open_run
    from dse.synth.estimate import learn, pairs_of

    records = [record for folder in folders for record in open_run(folder).records]
    known = pairs_of(records)
    if not known:
        where = ", ".join(map(str, folders))
        raise UsageError(f"{where}: no design has figures of a vendor's tool beside its estimate. `dse synth DIR` adds them.")
    found = {key: pairs for key, pairs in known.items() if tool.lower() in " ".join(key).lower()}
    if len(found) != 1:
        names = "; ".join(" ".join(key) for key in known)
        raise UsageError(f"figures of exactly one tool, version, level and part are needed; found {names}. Choose with --tool.")
    ((key, pairs),) = found.items()
    outcome = learn(key, pairs)
    outcome.calibration.save(out)
    if as_json:
        say_json({"calibration": outcome.calibration.as_json(), "before": dict(outcome.before), "after": dict(outcome.after)})
        return
    _show_outcome(Console(), outcome, out)


def _show_outcome(console: Console, outcome: Outcome, out: Path) -> None:
    learned: Calibration = outcome.calibration
    rows = [
        [name, str(outcome.kept[name]), f"{outcome.before[name]:.1f} %", f"{outcome.after[name]:.1f} %", _fate(learned, name)]
        for name in outcome.before
    ]
    say(console, f"{learned.tool} {learned.tool_version} ({learned.level}, {learned.part})")
    Sheet(["figure", "designs", "error before", "error after", ""], rows, numbers=[1, 2, 3]).show(console)
    say(console, f"written to {out}; another judge: {learned.name}")


def _fate(learned: Calibration, figure: str) -> str:
    return "corrected" if learned.of(figure) is not None else "left as it was"
