"""Arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dse.errors import FAILURE_KINDS, UsageError

Folders = Annotated[list[Path], typer.Argument(help="Folders of sweeps, such as runs/digits.", metavar="DIR...")]
Folder = Annotated[Path, typer.Argument(help="The folder of a sweep, such as runs/digits.", metavar="DIR")]
JudgeOption = Annotated[
    str,
    typer.Option("--judge", metavar="NAME", help="Whose figures count: a judge's name or parts of it; default: the study's."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RetryFailed = Annotated[
    list[str] | None,
    typer.Option(metavar="KIND", help=f"Try designs again that failed with this: {', '.join(FAILURE_KINDS)}."),
]


def kinds(given: list[str] | None) -> tuple[str, ...]:
    """The kinds of failure of --retry-failed; UsageError for one that there is not."""
    unknown = sorted(set(given or ()) - set(FAILURE_KINDS))
    if unknown:
        raise UsageError(f"--retry-failed must be one of {', '.join(FAILURE_KINDS)}, got {', '.join(unknown)}.")
    return tuple(given or ())
