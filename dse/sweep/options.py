"""How to sweep, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from dse.run import Run


@dataclass(frozen=True)
class Options:
    """How to sweep; None: the study's or the machine's own value.

    `retry_failed` names failure kinds to try once more, `origin` the command that would make the study again.
    """

    root: Path | str = "runs"
    trials: int | None = None
    hours: float | None = None
    jobs: int | None = None
    extend: bool = False
    retry_failed: tuple[str, ...] = ()
    origin: str = "dse run STUDY.py"
    quiet: bool = False
    console: Console = field(default_factory=Console)

    @property
    def folder(self) -> Path:
        """The root as an absolute path: compilers run in folders of their own."""
        return Path(self.root).absolute()


@dataclass(frozen=True)
class Swept:
    """A sweep that has ended: its run, and why it ended, in words."""

    run: Run
    reason: str
