"""Programs are run with limits, leave complete logs, fail with a type, and leave nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from dse import shell
from dse.errors import StageFailed, ToolNotFound
from dse.shell import Limits, Pool

SHORT = Limits(timeout_s=0.5, grace_s=0.3)
PATIENCE_S = 10.0


def sh(script: str, folder: Path, limits: Limits = shell.NO_LIMITS, env=None):
    return shell.run(["sh", "-c", script], folder, folder / "log", limits=limits, env=env)


def wait_for(check, what: str) -> None:
    """Poll a condition that must come true; AssertionError after a while."""
    deadline = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def read_pid(path: Path) -> int:
    wait_for(lambda: path.exists() and path.read_text().endswith("\n"), f"{path.name} was not written")
    return int(path.read_text())


def test_the_exit_code_is_returned_whatever_it_is(tmp_path):
    """Only the caller knows what a program's exit code means."""
    assert sh("exit 0", tmp_path).returncode == 0
    assert sh("exit 3", tmp_path).returncode == 3


def test_the_log_holds_all_output_and_the_error_its_end(tmp_path):
    """Standard output and error are kept complete and in order, also when the program is then killed."""
    done = sh("echo one; echo two >&2; echo three", tmp_path)
    assert done.log.read_text() == "one\ntwo\nthree\n"
    with pytest.raises(StageFailed) as failed:
        sh("seq 1 20000; sleep 30", tmp_path, SHORT)
    assert (tmp_path / "log").read_text().splitlines()[-1] == "20000"
    assert failed.value.log.endswith("20000\n")
    assert len(failed.value.log) <= shell.TAIL_BYTES


def test_a_program_works_in_its_folder_with_no_input_and_added_environment(tmp_path):
    """The caller's own folder and environment stay as they are; a program that asks for input reads its end."""
    work = tmp_path / "work"
    work.mkdir()
    before = (Path.cwd(), dict(os.environ))
    shell.run(["sh", "-c", "pwd; read x || echo $COLOUR $HOME"], work, tmp_path / "log", env={"COLOUR": "blue green"})
    assert (tmp_path / "log").read_text().splitlines() == [str(work), f"blue green {os.environ['HOME']}"]
    assert (Path.cwd(), dict(os.environ)) == before


def test_arguments_reach_the_program_untouched(tmp_path):
    """No shell stands between: quotes, dollars, stars, spaces and empty words are themselves."""
    words = ["a b", "$HOME", "*", "'\"", "", "-", "x\ny"]
    shell.run([sys.executable, "-c", "import sys; print(sys.argv[1:])", *words], tmp_path, tmp_path / "log")
    assert (tmp_path / "log").read_text() == f"{words!r}\n"


def test_run_sh_repeats_the_calls_by_hand_after_the_folder_has_moved(tmp_path):
    """The script beside the log does again what was done, in order, each call once, wherever the folder now is."""
    folder = tmp_path / "here"
    (folder / "work").mkdir(parents=True)
    for word in ("it's", "second", "second"):
        argv = ["sh", "-c", 'echo "$1 $WHO" >> ../out', "sh", word]
        shell.run(argv, folder / "work", folder / "log", env={"WHO": "a  b"})
    (folder / "out").unlink()
    folder.rename(tmp_path / "there")
    subprocess.run([tmp_path / "there" / "run.sh"], check=True, cwd="/")
    assert (tmp_path / "there" / "out").read_text() == "it's a  b\nsecond a  b\n"


def test_a_program_over_its_time_is_ended_with_all_its_children(tmp_path):
    """A hung tool costs its limit, and its grandchildren go with it, also one in a session of its own that ignores SIGTERM."""
    stubborn = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(60)"
    )
    script = f"sh -c \"setsid {sys.executable} -c '{stubborn}' > grandchild\" & sleep 60"
    with pytest.raises(StageFailed, match=r"sh was ended after 4 s, its limit\.") as failed:
        sh(script, tmp_path, Limits(timeout_s=4, grace_s=0.3))
    assert failed.value.kind == "timeout"
    assert not alive(read_pid(tmp_path / "grandchild"))


def test_a_program_may_clean_up_when_its_time_is_over(tmp_path):
    """SIGTERM comes first, so that a tool can give back its licence."""
    with pytest.raises(StageFailed):
        sh("trap 'echo gave back; exit 0' TERM; sleep 60 & wait", tmp_path, SHORT)
    assert (tmp_path / "log").read_text() == "gave back\n"


def test_what_a_program_leaves_behind_is_ended(tmp_path):
    """A program that has ended leaves no process, not even one that has made itself an orphan."""
    done = sh("(setsid sh -c 'echo $$ > orphan; exec sleep 60' &) ; while ! [ -s orphan ]; do :; done; exit 7", tmp_path)
    assert done.returncode == 7
    assert not alive(read_pid(tmp_path / "orphan"))


HOG = "import time; kept = bytearray(b'x') * (150 << 20); time.sleep(60)"


def test_the_memory_limit_counts_the_whole_tree(tmp_path):
    """Two processes of 150 MB are over a limit of 250 MB, one is not."""
    limits = Limits(timeout_s=30, memory_bytes=250 << 20, grace_s=0.3)
    with pytest.raises(StageFailed, match=r"sh was ended for the memory of its processes: 0.\d\d GB held, 0.26 GB") as failed:
        sh(f'{sys.executable} -c "{HOG}" & {sys.executable} -c "{HOG}"', tmp_path, limits)
    assert failed.value.kind == "memory"
    short = HOG.replace("60", "1")
    assert sh(f'{sys.executable} -c "{short}"; exit 0', tmp_path, limits).peak_bytes > 150 << 20


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("kill -KILL $$", "memory", "killed from outside"),
        ("kill -SEGV $$", "crash", "signal 11"),
        ("kill -ABRT $$", "crash", "signal 6"),
        ("sh -c 'kill -KILL $$'; exit $?", "memory", "killed from outside"),
        ("sh -c 'kill -SEGV $$'; exit $?", "crash", "signal 11"),
    ],
)
def test_death_by_signal_is_told_from_an_exit_code(tmp_path, script, kind, words):
    """SIGKILL from outside is how the kernel takes memory back; launchers pass a signal on as 128 + its number."""
    with pytest.raises(StageFailed, match=words) as failed:
        sh(script, tmp_path)
    assert failed.value.kind == kind


def test_too_little_free_disk_stops_the_run_before_it_starts(tmp_path):
    """A tool that would fill the disk hours later is not started at all."""
    with pytest.raises(StageFailed, match=r"GB are free, 1000000000000.0 GB are needed") as failed:
        sh("touch started", tmp_path, Limits(disk_bytes=10**21))
    assert failed.value.kind == "disk"
    assert not (tmp_path / "started").exists()


def test_a_program_that_cannot_be_started_is_named(tmp_path):
    """Missing or not executable: the message says which program, and why."""
    with pytest.raises(ToolNotFound, match=r"/nowhere/vivado cannot be started: No such file or directory"):
        shell.run(["/nowhere/vivado"], tmp_path, tmp_path / "log")
    (tmp_path / "tool").touch(mode=0o644)
    with pytest.raises(ToolNotFound, match="Permission denied"):
        shell.run([str(tmp_path / "tool")], tmp_path, tmp_path / "log")


RUNNER = """
import sys
from pathlib import Path
from dse import shell
folder = Path(sys.argv[1])
shell.run(["sh", "-c", "setsid sh -c 'echo $$ > grandchild; exec sleep 60' & echo $$ > child; wait"], folder, folder / "log")
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_whole_tree_dies_with_the_calling_process(tmp_path, signum):
    """Whoever ends the caller, even by SIGKILL, has ended its tools, grandchildren in other sessions too."""
    caller = subprocess.Popen([sys.executable, "-c", RUNNER, str(tmp_path)], stderr=subprocess.DEVNULL)
    pids = [read_pid(tmp_path / "child"), read_pid(tmp_path / "grandchild")]
    assert all(alive(pid) for pid in pids)
    caller.send_signal(signum)
    caller.wait()
    wait_for(lambda: not any(alive(pid) for pid in pids), "the tool outlived its caller")


def test_a_fork_of_the_caller_does_not_keep_the_tool_alive(tmp_path):
    """A worker forked while a tool runs holds the same pipe open; the tool ends all the same."""
    script = """
import os, sys, threading, time
from pathlib import Path
from dse import shell
folder = Path(sys.argv[1])
call = ["sh", "-c", "echo $$ > child; sleep 60"]
threading.Thread(target=shell.run, args=(call, folder, folder / "log"), daemon=True).start()
while not (folder / "child").exists():
    time.sleep(0.01)
if os.fork() == 0:
    (folder / "sibling").write_text(f"{os.getpid()}\\n")
time.sleep(60)
"""
    caller = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script, str(tmp_path)])
    child, sibling = read_pid(tmp_path / "child"), read_pid(tmp_path / "sibling")
    caller.kill()
    caller.wait()
    try:
        wait_for(lambda: not alive(child), "the tool outlived its caller")
        assert alive(sibling)
    finally:
        os.kill(sibling, signal.SIGKILL)


def test_a_killed_guard_takes_the_tool_along(tmp_path):
    """Should the guard itself be killed, the caller ends the tool and says so."""
    failures = []

    def call():
        try:
            sh("echo $$ > child; echo $PPID > guard; exec sleep 60", tmp_path)
        except StageFailed as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    child, guard = read_pid(tmp_path / "child"), read_pid(tmp_path / "guard")
    os.kill(guard, signal.SIGKILL)
    thread.join(PATIENCE_S)
    wait_for(lambda: not alive(child), "the tool outlived its guard")
    assert [error.kind for error in failures] == ["crash"]


def test_find_prefers_the_variable_and_says_what_to_do(tmp_path, monkeypatch):
    """The environment variable wins over PATH; a missing program is answered with the program, the place and the remedy."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vitis-run").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "one"))
    assert shell.find("vitis-run", "DSE_VITIS_RUN") == tmp_path / "one" / "vitis-run"
    monkeypatch.setenv("DSE_VITIS_RUN", str(tmp_path / "two" / "vitis-run"))
    assert shell.find("vitis-run", "DSE_VITIS_RUN") == tmp_path / "two" / "vitis-run"
    monkeypatch.setenv("DSE_VITIS_RUN", str(tmp_path / "three"))
    with pytest.raises(
        ToolNotFound, match=r"DSE_VITIS_RUN is '.*three', which is no executable file\. Set it to the full path"
    ):
        shell.find("vitis-run", "DSE_VITIS_RUN")
    monkeypatch.delenv("DSE_VITIS_RUN")
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = r"^vitis-run is not in PATH\. Source settings64\.sh, or set DSE_VITIS_RUN to its full path\.$"
    with pytest.raises(ToolNotFound, match=expected):
        shell.find("vitis-run", "DSE_VITIS_RUN")


def test_a_version_is_asked_for_once_per_program(tmp_path):
    """Vendor tools take seconds to say who they are; one that says nothing of the kind is an error, not an empty version."""
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\necho asked >> {tmp_path}/asked\necho 'Tool v2023.2 (64-bit)'\n")
    tool.chmod(0o755)
    assert [shell.version([str(tool), "-version"], r"v(\d{4}\.\d)") for _ in range(3)] == ["2023.2"] * 3
    assert (tmp_path / "asked").read_text() == "asked\n"
    with pytest.raises(ToolNotFound, match=r"printed no version .* but 'Tool v2023\.2"):
        shell.version([str(tool)], r"Release (\d+)")


def hold(folder: Path, size: int, seconds: float, notes: Path) -> None:
    """Take a slot and note when it was had and given back."""
    with Pool(folder, size, poll_s=0.01).slot(timeout_s=PATIENCE_S):
        began = time.monotonic()
        time.sleep(seconds)
        (notes / f"{os.getpid()}").write_text(f"{began} {time.monotonic()}")


def test_no_more_than_the_pools_size_hold_a_slot_at_once(tmp_path):
    """Five processes and two slots: never three at a time, and all five get theirs."""
    (tmp_path / "notes").mkdir()
    context = get_context("spawn")
    arguments = (tmp_path / "pool", 2, 0.2, tmp_path / "notes")
    workers = [context.Process(target=hold, args=arguments) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    spans = [tuple(map(float, note.read_text().split())) for note in (tmp_path / "notes").iterdir()]
    assert len(spans) == 5
    assert max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans) == 2


def test_a_slot_is_free_again_when_its_holder_is_killed(tmp_path):
    """A killed worker does not keep a licence; a pool that stays full is a licence failure after its time."""
    holder = get_context("spawn").Process(target=hold, args=(tmp_path / "pool", 1, 60.0, tmp_path))
    holder.start()
    pool = Pool(tmp_path / "pool", 1, poll_s=0.01)

    def taken() -> bool:
        try:
            with pool.slot(timeout_s=0):
                return False
        except StageFailed as error:
            return error.kind == "licence"

    wait_for(taken, "the slot was never taken")
    holder.kill()
    holder.join()
    with pool.slot(timeout_s=PATIENCE_S) as number:
        assert number == 0


def test_a_slot_is_given_back_when_its_work_raises(tmp_path):
    """What happens in a slot is not swallowed, and the slot is free afterwards."""
    pool = Pool(tmp_path / "pool", 1)
    with pytest.raises(BlockingIOError), pool.slot():
        raise BlockingIOError
    with pool.slot(timeout_s=0) as number:
        assert number == 0
