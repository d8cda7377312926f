"""An append-only file of JSON lines: the one truth about a sweep.

One process writes, any number may read at any time. Not for several writers: the sweep's lock sees to it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dse.errors import DseError, StoreError


def append(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Add rows and return when they are on the disk; NaN and infinity are refused (ValueError).

    A torn last line, left by a writer that was killed, is cut off first.
    """
    text = "".join(json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n" for row in rows)
    with path.open("ab+") as file:
        whole = _whole(file.seek(0, os.SEEK_END), file)
        file.truncate(whole)
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _whole(size: int, file: Any) -> int:
    """The length up to and with the last newline."""
    end = size
    while end > 0:
        start = max(0, end - 65536)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            return int(start + at + 1)
        end = start
    return 0


def read(path: Path) -> list[dict[str, Any]]:
    """All rows; [] where there is no file. A torn last line is ignored, a torn line elsewhere is a StoreError.

    Only a killed writer leaves half a line, and only at the end; anything else means that the file was damaged.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    rows = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            row = json.loads(line, parse_constant=_no_number)
            if not isinstance(row, dict):
                raise ValueError("not an object")  # noqa: TRY004 - the same mend as for text that is no JSON
        except ValueError as error:
            raise StoreError(
                f"{path}: line {number} is damaged ({error}). Restore the file, or remove that line: its trial is run again."
            ) from error
        rows.append(row)
    return rows


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


@contextmanager
def only_runner(folder: Path, verb: str) -> Iterator[None]:
    """Hold the sweep's lock for a verb that writes (`run`, `synth`, `clean`).

    DseError where another process has it, or where the file system cannot lock.
    """
    path = folder / "runner.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                file.seek(0)
                who = file.read().strip() or "another process"
                raise DseError(f"{folder} is in use by {who}. Wait for it, or end it with Ctrl-C.") from error
            raise DseError(
                f"{path}: this file system cannot lock ({error.strerror}). Use a local folder with --root."
            ) from error
        file.truncate(0)
        file.write(f"`dse {verb}`, process {os.getpid()} on {os.uname().nodename}")
        file.flush()
        yield
