"""A small supervisor between this program and one tool, run as a process of its own by `dse.shell`.

    python -I -S guard.py TIMEOUT_S MEMORY_BYTES GRACE_S PROGRAM [ARGUMENT...]

Standard input is a pipe that the caller holds open and never writes to: when the caller dies, by whatever signal, it closes
and the tool's whole process tree is ended. The tree includes orphans and processes that have moved into a session of their
own, because the guard is their reaper (prctl(2), PR_SET_CHILD_SUBREAPER). Standard output carries two lines: `started PID`,
then `OUTCOME STATUS SECONDS PEAK_BYTES` with OUTCOME one of exit, signal, timeout, memory, stopped; or one: `missing ERRNO`.
Standard error is the tool's log. Limits that are `-` do not apply. Standard library only, and few imports: every call pays.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
#: A look at the tree may cost this share of one core at most.
SHARE = 0.05
LOOK_EVERY_S = 0.2
#: How often the parent's life is checked besides the pipe, which a forked sibling may hold open.
TICK_S = 0.5
PAGE = os.sysconf("SC_PAGESIZE")
KIB = 1024


def descendants() -> list[int]:
    """Process ids of everything below this process, from /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib would double the start-up time
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(name))
    found = list(children.get(os.getpid(), ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def memory(pids: list[int]) -> int:
    """Bytes that these processes hold and the kernel cannot drop: resident pages that no file backs."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123
                _, resident, shared = file.read().split()[:3]
        except (OSError, ValueError):
            continue
        total += (int(resident) - int(shared)) * PAGE
    return total


def send(signum: int) -> None:
    """Signal everything below this process."""
    for pid in descendants():
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            continue


class Tool:
    """The running tool: its process id, its exit status once known, and whether anything of its tree is left."""

    def __init__(self, argv: list[str]) -> None:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, 2, 1),
        ]
        defaults = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD]
        self.pid = os.posix_spawnp(
            argv[0], argv, os.environ, file_actions=actions, setpgroup=0, setsigdef=defaults, setsigmask=[]
        )
        self.status: int | None = None
        self.alone = False

    def reap(self) -> None:
        """Collect every child that has ended, adopted ones too."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.status = status
        except ChildProcessError:
            self.alone = True

    def end(self, grace_s: float) -> None:
        """SIGTERM to the whole tree, SIGKILL after `grace_s` seconds, until nothing is left."""
        self.reap()
        if self.alone:
            return
        send(signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while not self.alone and time.monotonic() < deadline:
            time.sleep(0.01)
            self.reap()
        while not self.alone:
            send(signal.SIGKILL)
            time.sleep(0.01)
            self.reap()


class Watch:
    """Limits of one run and the most memory seen."""

    def __init__(self, timeout_s: str, memory_bytes: str) -> None:
        self.started = time.monotonic()
        self.timeout_s = None if timeout_s == "-" else float(timeout_s)
        self.memory_bytes = None if memory_bytes == "-" else int(memory_bytes)
        self.next_look = self.started + LOOK_EVERY_S
        self.peak = 0
        self.over = 0

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.monotonic() - self.started

    def pause(self) -> float:
        """Seconds until something is due."""
        due = [TICK_S, self.next_look - time.monotonic()]
        if self.timeout_s is not None:
            due.append(self.timeout_s - self.seconds)
        return max(0.0, min(due))

    def verdict(self) -> str | None:
        """The limit that is exceeded, if one is."""
        if self.timeout_s is not None and self.seconds >= self.timeout_s:
            return "timeout"
        now = time.monotonic()
        if now < self.next_look:
            return None
        held = memory(descendants())
        self.next_look = now + max(LOOK_EVERY_S, (time.monotonic() - now) / SHARE)
        self.peak = max(self.peak, held)
        too_much = self.memory_bytes is not None and held > self.memory_bytes
        # A process that has just forked to start another seems to hold everything twice for a moment.
        self.over = self.over + 1 if too_much else 0
        return "memory" if self.over > 1 else None


def follow(tool: Tool, watch: Watch, wakeup: int) -> str:
    """Wait until the tool ends, a limit is exceeded or the caller is gone; what it was."""
    parent = os.getppid()
    while True:
        tool.reap()
        if tool.status is not None:
            return "exit" if os.WIFEXITED(tool.status) else "signal"
        ready, _, _ = select.select([0, wakeup], [], [], watch.pause())
        stop = False
        if wakeup in ready:
            stop = any(n != signal.SIGCHLD for n in os.read(wakeup, 64))
        if stop or 0 in ready or os.getppid() != parent:
            return "stopped"
        exceeded = watch.verdict()
        if exceeded is not None:
            return exceeded


def main(arguments: list[str]) -> None:
    """Run one tool; see the module's docstring."""
    timeout_s, memory_bytes, grace_s, *argv = arguments
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for signum in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, lambda *_: None)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    watch = Watch(timeout_s, memory_bytes)
    try:
        tool = Tool(argv)
    except OSError as error:
        print(f"missing {error.errno}", flush=True)  # noqa: T201 - the protocol
        return
    print(f"started {tool.pid}", flush=True)  # noqa: T201
    outcome = follow(tool, watch, read)
    seconds = watch.seconds
    tool.end(float(grace_s))
    status = tool.status if tool.status is not None else 0
    value = os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KIB
    print(f"{outcome} {value} {seconds:.6f} {max(watch.peak, largest)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
