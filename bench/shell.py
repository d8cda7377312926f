"""What a call through `dse.shell` costs above a plain one: the promise is well under 50 ms.

python bench/shell.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dse import shell

CALLS = 30
PROMISED_MS = 50.0


def milliseconds(call: Callable[[], object]) -> float:
    """The mean of some calls."""
    start = time.monotonic()
    for _ in range(CALLS):
        call()
    return (time.monotonic() - start) / CALLS * 1e3


def main() -> None:
    """Run `true` both ways and compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        guarded = milliseconds(lambda: shell.run(["true"], folder, folder / "log"))
    plain = milliseconds(lambda: subprocess.run(["true"], check=True))
    print(f"{guarded:.1f} ms guarded, {plain:.1f} ms plain (promised: {PROMISED_MS:g} ms more at most)")
    if guarded - plain > PROMISED_MS:
        sys.exit(1)


if __name__ == "__main__":
    main()
