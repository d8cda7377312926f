"""The only door to other programs: limits, complete logs, typed outcomes, and nothing left running.

Calls are argument lists, never shell text. Between this process and the tool stands `dse.guard`, which ends the tool's whole
process tree on a limit, on an interrupt, and when this process dies, be it by SIGKILL.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic, sleep

from dse.errors import StageFailed, ToolNotFound

GUARD = Path(__file__).with_name("guard.py")
#: How much of a log's end goes into an error.
TAIL_BYTES = 4096
#: Signals that end a program against its will; launchers written as shell scripts report them as 128 + number.
FATAL = tuple(
    signal.Signals[name] for name in ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGTERM", "SIGXCPU")
)
VERSION_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take; None: no limit. `memory_bytes` counts the tool's whole process tree.

    `disk_bytes` must be free where the tool works before it is started. `grace_s` passes between SIGTERM and SIGKILL.
    """

    timeout_s: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int = 0
    grace_s: float = 5.0


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended by itself; `peak_bytes` is the most memory seen (at least its largest process)."""

    returncode: int
    seconds: float
    log: Path
    peak_bytes: int


def run(
    argv: Sequence[str], cwd: Path, log: Path, *, limits: Limits = NO_LIMITS, env: Mapping[str, str] | None = None
) -> Finished:
    """Run one program in the folder `cwd` with all it prints in the file `log`; `env` is added to this process' environment.

    Returns for any exit code: the caller knows what it means. `run.sh` beside the log repeats the call by hand; a second
    call into the same folder is appended to it. Raises StageFailed: `timeout`, `memory` (over the limit, or killed from
    outside as the kernel does when memory is short), `disk` (too little is free to start), `crash` (ended by a signal);
    ToolNotFound where the program cannot be started.
    """
    argv = [os.fspath(word) for word in argv]
    _check_disk(cwd, limits.disk_bytes)
    log.parent.mkdir(parents=True, exist_ok=True)
    _leave_script(argv, cwd, log, env or {})
    with log.open("wb") as stream:
        outcome = _guarded(argv, cwd, stream.fileno(), limits, env or {})
    return _judge(argv[0], outcome, limits, log)


def find(program: str, variable: str, how: str = "Source settings64.sh") -> Path:
    """The full path of `program`: what the environment `variable` names, else the first in PATH; ToolNotFound otherwise.

    `how` is the first half of the advice in the error: what to do to get the program into PATH.
    """
    override = os.environ.get(variable)
    found = shutil.which(override or program)
    if found is not None:
        return Path(found).absolute()
    if override:
        raise ToolNotFound(f"{variable} is {override!r}, which is no executable file. Set it to the full path of {program}.")
    raise ToolNotFound(f"{program} is not in PATH. {how}, or set {variable} to its full path.")


def version(argv: Sequence[str], pattern: str) -> str:
    """The first group of `pattern` in what `argv` prints, e.g. `["/opt/vivado", "-version"]`; asked once per program path.

    Raises ToolNotFound where the program cannot be started, hangs, or prints no such text.
    """
    program = Path(argv[0])
    stamp = program.stat().st_mtime_ns if program.exists() else 0
    return _version(tuple(argv), pattern, stamp)


@cache
def _version(argv: tuple[str, ...], pattern: str, _stamp: int) -> str:
    call = shlex.join(argv)
    with tempfile.TemporaryDirectory(prefix="dse-version-") as scratch:
        log = Path(scratch) / "version.log"
        try:
            run(argv, Path(scratch), log, limits=Limits(timeout_s=VERSION_TIMEOUT_S))
        except StageFailed as error:
            raise ToolNotFound(f"`{call}` does not say its version: {error.message} Run it by hand to see why.") from error
        said = tail(log, 1 << 20)
    found = re.search(pattern, said)
    if found is None:
        raise ToolNotFound(f"`{call}` printed no version ({pattern!r}) but {said[:200]!r}. Run it by hand to see why.")
    return found[1]


def tail(log: Path, size: int = TAIL_BYTES) -> str:
    """The last `size` bytes of a log, from the start of a line."""
    with log.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        length = stream.tell()
        stream.seek(max(0, length - size))
        text = stream.read().decode("utf-8", errors="replace")
    return text if length <= size else text.partition("\n")[2]


@dataclass(frozen=True, slots=True)
class Pool:
    """At most `size` holders at a time over all processes that use `folder` (licences, memory)."""

    folder: Path
    size: int
    poll_s: float = 0.2

    @contextlib.contextmanager
    def slot(self, timeout_s: float | None = None) -> Iterator[int]:
        """Hold one slot, waiting for it as long as it takes or `timeout_s`; StageFailed(licence) when that has passed.

        A slot is a locked file: it is free again when its holder dies, however it dies.
        """
        import fcntl

        if self.size < 1:
            raise ValueError(f"size of a pool must be at least 1, got {self.size}.")
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = None if timeout_s is None else monotonic() + timeout_s
        while True:
            for number in range(self.size):
                with (self.folder / f"{number}.lock").open("ab") as stream:
                    try:
                        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        continue
                    try:
                        yield number
                    finally:
                        # Explicitly: a process forked meanwhile shares the open file and would keep the lock.
                        fcntl.flock(stream, fcntl.LOCK_UN)
                    return
            if deadline is not None and monotonic() >= deadline:
                raise StageFailed("licence", f"all {self.size} slots of {self.folder} were taken for {timeout_s:g} s.")
            sleep(self.poll_s)


def _check_disk(cwd: Path, needed: int) -> None:
    free = shutil.disk_usage(cwd).free
    if free < needed:
        raise StageFailed(
            "disk", f"{cwd}: {free / 1e9:.1f} GB are free, {needed / 1e9:.1f} GB are needed. Make room, or lower the limit."
        )


def _leave_script(argv: Sequence[str], cwd: Path, log: Path, env: Mapping[str, str]) -> None:
    """Append the call to `run.sh` beside the log; paths inside that folder are written relative, so that it may be moved."""
    folder = log.parent.resolve()
    inside = cwd.resolve().is_relative_to(folder)
    place = f'"$here"/{shlex.quote(os.path.relpath(cwd.resolve(), folder))}' if inside else shlex.quote(str(cwd.resolve()))
    settings = "".join(f"{name}={shlex.quote(value)} " for name, value in env.items())
    call = f"(cd {place} && {settings}{shlex.join(argv)})\n"
    script = folder / "run.sh"
    text = script.read_text() if script.exists() else '#!/bin/sh\nset -e\nhere=$(cd "$(dirname "$0")" && pwd)\n'
    if call not in text:
        script.write_text(text + call)
        script.chmod(0o755)


def _guarded(argv: Sequence[str], cwd: Path, stream: int, limits: Limits, env: Mapping[str, str]) -> list[str]:
    """The words of the guard's last line."""
    limit = ["-" if value is None else str(value) for value in (limits.timeout_s, limits.memory_bytes)]
    command = [sys.executable, "-I", "-S", os.fspath(GUARD), *limit, str(limits.grace_s), *argv]
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stream,
        start_new_session=True,
        text=True,
    ) as guard:
        assert guard.stdin is not None
        assert guard.stdout is not None
        lines: list[str] = []
        try:
            lines.extend(guard.stdout)
        finally:
            guard.stdin.close()
            guard.wait()
    if len(lines) == 1 and lines[0].startswith("started"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(lines[0].split()[1]), signal.SIGKILL)
    return lines[-1].split() if lines else ["lost"]


def _judge(program: str, outcome: list[str], limits: Limits, log: Path) -> Finished:
    """The guard's words as a value, or as the failure that they mean."""
    name = Path(program).name
    kind = outcome[0]
    if kind == "missing":
        raise ToolNotFound(f"{program} cannot be started: {os.strerror(int(outcome[1]))}. Check that it is an executable file.")
    if kind in ("lost", "started"):
        raise StageFailed("crash", f"{name}: its guard process was killed, the tool with it.", tail(log))
    value, seconds, peak = int(outcome[1]), float(outcome[2]), int(outcome[3])
    if kind == "timeout":
        raise StageFailed("timeout", f"{name} was ended after {limits.timeout_s:g} s, its limit.", tail(log))
    if kind == "memory":
        assert limits.memory_bytes is not None
        held = f"{peak / 1e9:.2f} GB held, {limits.memory_bytes / 1e9:.2f} GB allowed"
        raise StageFailed("memory", f"{name} was ended for the memory of its processes: {held}.", tail(log))
    if kind == "stopped":
        raise StageFailed("crash", f"{name} was ended because its guard was told to stop.", tail(log))
    died = value if kind == "signal" else value - 128
    if died == signal.SIGKILL:
        message = f"{name} was killed from outside, as the kernel does when memory is short; its peak was {peak / 1e9:.2f} GB."
        raise StageFailed("memory", message, tail(log))
    if kind == "signal" or died in FATAL:
        raise StageFailed("crash", f"{name} was ended by signal {died} ({signal.strsignal(died)}).", tail(log))
    return Finished(value, seconds, log, peak)
