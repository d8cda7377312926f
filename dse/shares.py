"""Rows of an emulation shared between processes; run as a program of its own by `dse.library`, and ended by `dse.guard`.

    python -I -S shares.py LIBRARY WEIGHTS INPUTS OUTPUTS ROWS N_IN N_OUT PROCESSES

INPUTS and OUTPUTS are files of float64 rows. Each process loads the library by itself: generated code keeps its streams in
static variables. When one dies the others are ended, and this program ends as that one did. Standard library only.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
from typing import Any

ENTRY = "dse_emulate"
DOUBLE = ctypes.sizeof(ctypes.c_double)


def load(library: str) -> Any:
    """The library's loop: weights folder, inputs, outputs, rows, n_in, n_out; OSError where it cannot be loaded."""
    call = getattr(ctypes.CDLL(library), ENTRY)
    call.restype = None
    call.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long, ctypes.c_long, ctypes.c_long]
    return call


def mapped(path: str) -> ctypes.c_char:
    """The first byte of a file's contents, shared between processes; mapped for as long as it lives."""
    with open(path, "r+b") as file:  # noqa: PTH123 - pathlib costs start-up time
        memory = mmap.mmap(file.fileno(), 0)
    return ctypes.c_char.from_buffer(memory)


def follow(pids: set[int]) -> int:
    """Wait for all; the status of the first that failed, after ending the others, or 0."""
    failed = 0
    while pids:
        pid, status = os.wait()
        pids.discard(pid)
        if status and not failed:
            failed = status
            for other in pids:
                os.kill(other, signal.SIGKILL)
    return failed


def main(arguments: list[str]) -> None:
    """Run the shares; see the module's docstring."""
    library, weights, inputs, outputs, *numbers = arguments
    rows, n_in, n_out, processes = map(int, numbers)
    memory = mapped(inputs), mapped(outputs)
    x, y = map(ctypes.addressof, memory)
    pids = set()
    for number in range(processes):
        first, last = (rows * n // processes for n in (number, number + 1))
        pid = os.fork()
        if pid == 0:
            load(library)(
                os.fsencode(weights), x + first * n_in * DOUBLE, y + first * n_out * DOUBLE, last - first, n_in, n_out
            )
            os._exit(0)
        pids.add(pid)
    status = follow(pids)
    if os.WIFSIGNALED(status):
        signum = os.WTERMSIG(status)
        if signum != signal.SIGKILL:
            signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
    sys.exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main(sys.argv[1:])
