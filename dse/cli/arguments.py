"""Arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folders = Annotated[list[Path], typer.Argument(help="Folders of sweeps, such as runs/digits.", metavar="DIR...")]
Folder = Annotated[Path, typer.Argument(help="The folder of a sweep, such as runs/digits.", metavar="DIR")]
JudgeOption = Annotated[
    str,
    typer.Option("--judge", metavar="NAME", help="Whose figures count: a judge's name or parts of it; default: the study's."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
