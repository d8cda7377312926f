"""Whether a sweep goes on, since when, and when it will end."""

from __future__ import annotations

import time
from pathlib import Path

from dashboards.columns import Columns, moment
from dse.run import Asked

#: The file that a sweep's process locks as long as it runs.
LOCK_FILE = "runner.lock"
#: Trials whose times foretell the end.
RECENT = 40


def held(path: Path) -> bool:
    """Whether some process holds this file's lock, as the kernel tells without the lock being tried."""
    try:
        inode = path.stat().st_ino
        table = Path("/proc/locks").read_text()
    except OSError:
        return False
    words = [line.split() for line in table.splitlines()]
    return any("FLOCK" in row and any(word.endswith(f":{inode}") for word in row) for row in words)


def begun(path: Path) -> float:
    """When this file's lock was last taken: its holder writes its name into it at once, and never again."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def remaining_s(columns: Columns, target: int, after: float = 0.0, now: float | None = None) -> float | None:
    """How long a sweep will take until `target` trials are finished; None where its pace is not known.

    The pace is that of the last trials finished `after` that time: a night between two starts is no slow trial.
    """
    left = target - len(columns)
    times = columns.finished[-RECENT:]
    times = times[times > after]
    if left <= 0 or len(times) < 3:
        return None
    pace = (float(times.max()) - float(times.min())) / (len(times) - 1)
    since = max((time.time() if now is None else now) - float(times.max()), 0.0)
    return max(left * pace - min(since, pace), 0.0)


def since_s(asked: Asked, now: float | None = None) -> float:
    """Seconds since a trial was begun, NaN where that is not known."""
    return (time.time() if now is None else now) - moment(asked.time)
