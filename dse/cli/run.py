"""`dse run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dse.cli.arguments import RetryFailed, kinds
from dse.errors import DseError

if TYPE_CHECKING:
    from dse.sweep import Swept

StudyFile = Annotated[Path, typer.Argument(help="The study file: STUDY = Study(...).", metavar="STUDY.py")]
Trials = Annotated[int | None, typer.Option(min=1, help="Designs that shall have a record, earlier runs included.")]
Hours = Annotated[float | None, typer.Option(min=0.0, help="Begin no new design after this time.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Designs at once; default: one per core.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the sampler; default: the study's.")]
Root = Annotated[Path, typer.Option(help="Folder of all sweeps; results in ROOT/<study>/.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the study: target.clock_ns=3, sampler=random.")
]
DataFile = Annotated[
    Path | None, typer.Option(metavar="PATH", help="The data file, for studies whose data function takes one.")
]
Extend = Annotated[bool, typer.Option("--extend", help="Go on with a wider space or more first designs than before.")]


def run(
    study: StudyFile,
    trials: Trials = None,
    hours: Hours = None,
    jobs: Jobs = None,
    seed: Seed = None,
    root: Root = Path("runs"),
    changes: Changes = None,
    data: DataFile = None,
    extend: Extend = False,
    retry_failed: RetryFailed = None,
) -> None:
    """Sweep a study: train, compress, convert, emulate and cost designs until the target number is reached.

    The same command goes on where an earlier one was stopped, by Ctrl-C or worse. At the end the Pareto front is emulated
    exactly as it is built, and shown.

    \b
    Examples:
      dse run studies/digits.py
      dse run studies/digits.py --trials 200 --hours 2
      dse run studies/digits.py --set target.clock_ns=3.3 --root runs/fast
      dse run studies/jets.py --data jets.parquet
    """
    import shlex
    from dataclasses import replace

    from dse.studyfile import load
    from dse.sweep import Options, explore

    again = kinds(retry_failed)
    asked = load(study, tuple(changes or ()), data)
    if seed is not None:
        asked = replace(asked, seed=seed)
    console = Console()
    options_given = [word for change in changes or () for word in ("--set", change)]
    options_given += [] if data is None else ["--data", str(data)]
    origin = shlex.join(["dse", "run", str(study), *options_given])
    options = Options(root, trials, hours, jobs, extend=extend, retry_failed=again, origin=origin, console=console)
    _show(explore(asked, options), console)


def _show(swept: Swept, console: Console) -> None:
    """The front, and where more is to be seen; DseError where every design has failed."""
    from dse.cli.results import show_front, write_page

    records = swept.run.records
    show_front(swept.run, console)
    folder = swept.run.folder
    page = folder / "index.html"
    write_page(swept.run, page)
    where = f"Pictures: {page}   Table: dse front {folder}   One design: dse show {folder} TRIAL"
    console.print(f"{swept.reason}.\n{where}", highlight=False, markup=False, soft_wrap=True)
    if records and all(record.failure is not None for record in records):
        raise DseError(f"every one of the {len(records)} designs failed; `dse status {folder}` says with what.")
