"""Everything that `dse` raises on purpose, in one family."""

from __future__ import annotations

#: Failures of the design: trying again gives the same answer.
PERMANENT = ("invalid", "unsupported", "mismatch", "tool", "report")
#: Failures of the machine: trying again may work.
PASSING = ("timeout", "memory", "crash", "licence", "disk")
FAILURE_KINDS = PERMANENT + PASSING


class DseError(Exception):
    """A problem that the user can understand and mend; shown without a traceback."""


class UsageError(DseError):
    """What was asked for cannot be asked: a misspelt knob, a raising study file; exit code 2."""


class ToolNotFound(DseError):
    """A program is not there; the message says which, where it was looked for and what overrides it."""


class ReportError(DseError):
    """A report lacks a figure, or holds it in a layout that is not known; never replaced by a guess."""


class StoreError(DseError):
    """The store or a record file is not as it was left: files gone, a line torn in the middle."""


class StageFailed(DseError):
    """One stage of one design failed; becomes a `Failure` in its record.

    `kind` is one of `FAILURE_KINDS`, `log` what the tool printed (it may be long, or empty).
    """

    def __init__(self, kind: str, message: str, log: str = "") -> None:
        if kind not in FAILURE_KINDS:
            raise ValueError(f"kind must be one of {FAILURE_KINDS}, got {kind!r}.")
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.log = log

    def __reduce__(self) -> tuple[type[StageFailed], tuple[str, str, str]]:
        """Exceptions cross process borders; the default would call `__init__` with the message alone."""
        return (StageFailed, (self.kind, self.message, self.log))
