"""Where trials run: long-lived worker processes on this machine, each of which may hang or die without harm to the sweep."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, TimeoutError  # noqa: A004 - what Pebble raises
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import spawn
from multiprocessing.context import ForkServerContext, ForkServerProcess, SpawnContext, SpawnProcess
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


class Processes:
    """Processes that take tasks; a context manager that leaves none behind."""

    _pool: pebble.ProcessPool

    def __exit__(self, *_: object) -> None:
        self._pool.stop()
        self._pool.join()

    def submit(self, task: Callable[..., Any], *arguments: Any, timeout_s: float | None = None) -> Future[Any]:
        """Run one function of a module in the next free process; `outcome` tells how it went."""
        future: Future[Any] = self._pool.schedule(task, args=arguments, timeout=timeout_s)
        return future


_LAUNCH = threading.Lock()
_PREPARED = spawn.get_preparation_data


@contextmanager
def _no_main() -> Iterator[None]:
    """Processes that are started meanwhile do not run the user's main module again: they get what they need by value, so that
    a notebook, standard input or a script without `if __name__ == "__main__"` can sweep.
    """
    with _LAUNCH:
        spawn.get_preparation_data = _without_main
        try:
            yield
        finally:
            spawn.get_preparation_data = _PREPARED


def _without_main(name: str) -> dict[str, object]:
    return {key: value for key, value in _PREPARED(name).items() if not key.startswith("init_main")}


class _Forked(ForkServerProcess):
    """A process whose words go to a file from its first moment: also when it cannot start, as when it comes to life after the
    sweep has ended and the pool's semaphores are gone.
    """

    def __init__(self, *arguments: Any, log: Path, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.log = log

    def __reduce__(self) -> tuple[Any, ...]:
        return _born, (type(self), self.log), self.__dict__

    @staticmethod
    def _Popen(process: Any) -> Any:  # noqa: N802 - multiprocessing's name
        with _no_main():
            return ForkServerProcess._Popen(process)  # noqa: SLF001


def _born(kind: type[_Forked], log: Path) -> _Forked:
    worker.speak_to(log)
    return kind.__new__(kind)


class _Fresh(SpawnProcess):
    @staticmethod
    def _Popen(process: Any) -> Any:  # noqa: N802
        with _no_main():
            return SpawnProcess._Popen(process)  # noqa: SLF001


class _Spawn(SpawnContext):
    Process = _Fresh


@dataclass
class Callers(Processes):
    """Processes that do nothing but wait for tools, so that Ctrl-C ends a tool with the process that waits for it."""

    jobs: int
    log: Path

    def __enter__(self) -> Self:
        context = _Spawn()
        self._pool = pebble.ProcessPool(self.jobs, initializer=worker.attend, initargs=[os.getpid(), self.log], context=context)
        return self


@dataclass
class Workers(Processes):
    """Worker processes with one study loaded."""

    study: Study
    store: Store
    jobs: int
    log: Path

    def __enter__(self) -> Self:
        cores = len(os.sched_getaffinity(0))
        study, threads = cloudpickle.dumps(self.study), max(1, cores // self.jobs)
        setup = worker.Setup(study, self.store, threads, os.getpid(), self.log.parent)
        context: Any = ForkServerContext()
        context.Process = partial(_Forked, log=self.log)
        context.set_forkserver_preload(["dse.preload"])
        self._pool = pebble.ProcessPool(self.jobs, initializer=worker.start, initargs=[setup], context=context)
        return self


def outcome(future: Future[Any], timeout_s: float | None) -> Any:
    """The result of a finished task; StageFailed of a passing kind where the worker hung or died."""
    try:
        return future.result()
    except TimeoutError as error:
        raise StageFailed(
            "timeout", f"the trial was ended after {timeout_s:g} s: the study's timeout_s and its tools' own limits."
        ) from error
    except pebble.ProcessExpired as error:
        code = error.exitcode
        if code == -9:
            message = "the worker was killed (SIGKILL), as the kernel does when memory is short. Try fewer --jobs."
            raise StageFailed("memory", message) from error
        if code == worker.OUT_OF_MEMORY:
            message = "the worker was refused the memory that it asked for; the sweep's log says where. Try fewer --jobs."
            raise StageFailed("memory", message) from error
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise StageFailed("crash", f"the worker died ({how}) while it worked on this design.") from error
    except DseError:
        raise
    except BrokenProcessPool as error:
        raise DseError("the worker processes end as soon as they start; the sweep's log says why.") from error
    except Exception as error:
        raise StageFailed("crash", f"the worker could not do it: {type(error).__name__}: {error}") from error
