"""What a worker is busy with, while it is: told to the runner through a file beside the records, which lasts as long."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: The logger of whatever takes long enough for a person to wonder; its messages are what is shown.
log = logging.getLogger("dse.busy")
log.propagate = False
NAME = "busy-{}"


class _File(logging.Handler):
    """Keeps the last message in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """All of the message or the one before; a full disk is no reason to stop what it is about."""
        try:
            draft = self._path.with_suffix(".new")
            draft.write_text(record.getMessage())
            draft.replace(self._path)
        except OSError:
            self.handleError(record)


@contextmanager
def telling(folder: Path) -> Iterator[None]:
    """While this lasts, what is said to `log` in this process can be read with `told(folder)`."""
    path = folder / NAME.format(os.getpid())
    handler = _File(path)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        path.unlink(missing_ok=True)


def told(folder: Path) -> list[str]:
    """What each of the busy processes has said last, in no order that means anything."""
    found = []
    for path in sorted(folder.glob(NAME.format("*[0-9]"))):
        try:
            found.append(path.read_text())
        except FileNotFoundError:  # it has just finished
            continue
    return found


def forget(folder: Path) -> None:
    """Remove what processes that were killed have left."""
    for path in folder.glob(NAME.format("*")):
        path.unlink(missing_ok=True)
