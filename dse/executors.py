"""Where trials run: long-lived worker processes on this machine, each of which may hang or die without harm to the sweep."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError  # noqa: A004 - what Pebble raises
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import spawn
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, Self

import cloudpickle
import pebble

from dse import worker
from dse.errors import DseError, StageFailed
from dse.store import Store
from dse.study import Study

#: Memory that one worker may take (tensorflow, one network, one compiler).
WORKER_BYTES = 2 * 10**9


def default_jobs() -> int:
    """One worker per core that this process may use, as far as the memory goes."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(cores, memory // WORKER_BYTES))


class _Process(ForkServerProcess):
    """A worker that does not run the user's main module again: it gets the study by value, so that a notebook, standard
    input or a script without `if __name__ == "__main__"` can sweep.
    """

    @staticmethod
    def _Popen(process: Any) -> Any:  # noqa: N802 - multiprocessing's name
        with _LAUNCH:
            prepared = spawn.get_preparation_data
            spawn.get_preparation_data = _without_main
            try:
                return ForkServerProcess._Popen(process)  # noqa: SLF001
            finally:
                spawn.get_preparation_data = prepared


_LAUNCH = threading.Lock()
_PREPARED = spawn.get_preparation_data


def _without_main(name: str) -> dict[str, object]:
    return {key: value for key, value in _PREPARED(name).items() if not key.startswith("init_main")}


class _Context(ForkServerContext):
    Process = _Process


@dataclass
class Workers:
    """Worker processes with one study loaded; a context manager that leaves none behind."""

    study: Study
    store: Store
    jobs: int
    log: Path

    def __enter__(self) -> Self:
        cores = len(os.sched_getaffinity(0))
        setup = worker.Setup(cloudpickle.dumps(self.study), self.store, max(1, cores // self.jobs), self.log, os.getpid())
        context = _Context()
        context.set_forkserver_preload(["dse.preload"])
        self._pool = pebble.ProcessPool(self.jobs, initializer=worker.start, initargs=[setup], context=context)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.stop()
        self._pool.join()

    def submit(self, task: Callable[..., Any], *arguments: Any, timeout_s: float | None = None) -> Future[Any]:
        """Run one function of `dse.worker` in the next free worker; `outcome` tells how it went."""
        future: Future[Any] = self._pool.schedule(task, args=arguments, timeout=timeout_s)
        return future


def outcome(future: Future[Any], timeout_s: float | None) -> Any:
    """The result of a finished task; StageFailed of a passing kind where the worker hung or died."""
    try:
        return future.result()
    except TimeoutError as error:
        raise StageFailed("timeout", f"the trial was ended after {timeout_s:g} s, the study's timeout_s.") from error
    except pebble.ProcessExpired as error:
        code = error.exitcode
        if code == -9:
            message = "the worker was killed (SIGKILL), as the kernel does when memory is short. Try fewer --jobs."
            raise StageFailed("memory", message) from error
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise StageFailed("crash", f"the worker died ({how}) while it worked on this design.") from error
    except DseError:
        raise
    except BrokenProcessPool as error:
        raise DseError("the worker processes end as soon as they start; the sweep's log says why.") from error
    except Exception as error:
        raise StageFailed("crash", f"the worker could not do it: {type(error).__name__}: {error}") from error
