"""A compiled emulation, called: in this process where that is quick, over this process' share of the cores where it is not."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dse import shares, shell
from dse.errors import StageFailed

SHARES = Path(shares.__file__)
#: Work in seconds that one more process must save: starting one, and handing rows over, takes a tenth.
SHARE_S = 0.25
#: Inputs that are handed over at a time: what a large set of images would take of the disk.
BATCH_BYTES = 1 << 28
#: A call of processes that takes longer is a hang.
TIMEOUT_S = 3600.0


@dataclass
class _Here:
    """How many cores this process may use; 0: all that it is allowed to run on."""

    cores: int = 0


_here = _Here()


def use(cores: int) -> None:
    """From now on this process calls libraries on at most so many cores: one of several workers says its share."""
    _here.cores = cores


def cores() -> int:
    """The cores that this process may use."""
    return _here.cores or len(os.sched_getaffinity(0))


def outputs(library: Path, weights: Path, x: np.ndarray, n_out: int) -> np.ndarray:
    """What `library` computes, (n, n_out) in float64, for rows `x` (n, n_in) with the weights in the folder `weights`.

    A library keeps its weights for as long as it is loaded, so each call loads a copy of its own. OSError where it cannot be
    loaded; StageFailed("crash" and other passing kinds) where a process dies.
    """
    x = np.ascontiguousarray(x, dtype=np.float64)
    y = np.empty((len(x), n_out))
    with tempfile.TemporaryDirectory(prefix="dse-emulate-") as scratch:
        copy = Path(shutil.copy(library, Path(scratch) / f"{os.getpid()}.so"))
        loop = shares.load(str(copy))

        def here(first: int, last: int) -> None:
            rows, to = x[first:last], y[first:last]
            loop(os.fsencode(weights.resolve()), rows.ctypes.data, to.ctypes.data, len(rows), x.shape[1], n_out)

        done = min(2, len(x))
        processes = min(cores(), int(_seconds(here, len(x)) / SHARE_S), len(x) - done)
        if processes < 2:
            here(done, len(x))
        else:
            batch = max(processes, BATCH_BYTES // x[:1].nbytes)
            for first in range(done, len(x), batch):
                y[first : first + batch] = _spread(copy, weights.resolve(), x[first : first + batch], n_out, processes)
    return y


def _seconds(here: Callable[[int, int], None], rows: int) -> float:
    """What all rows will take, by the second of them: the first one reads the weights. Both are computed."""
    here(0, min(1, rows))
    start = time.thread_time()
    here(1, min(2, rows))
    return (time.thread_time() - start) * rows


def _spread(library: Path, weights: Path, x: np.ndarray, n_out: int, processes: int) -> np.ndarray:
    scratch = library.parent
    files = [scratch / "inputs", scratch / "outputs"]
    x.tofile(files[0])
    np.empty((len(x), n_out)).tofile(files[1])
    sizes = [len(x), x.shape[1], n_out, processes]
    argv = [sys.executable, "-I", "-S", str(SHARES), str(library), str(weights), *map(str, [*files, *sizes])]
    log = scratch / "shares.log"
    done = shell.run(argv, scratch, log, limits=shell.Limits(timeout_s=TIMEOUT_S))
    if done.returncode != 0:
        raise StageFailed("crash", f"a process of the emulation ended with exit code {done.returncode}.", shell.tail(log))
    return np.fromfile(files[1]).reshape(len(x), n_out)
