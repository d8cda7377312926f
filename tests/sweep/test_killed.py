"""Sweeps whose processes are killed at random moments, as real processes, again and again."""

import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

from dse.run import open_run

STUDY = Path(__file__).parents[1] / "tiny.py"
TRIALS = 9


class Sweep:
    """`dse run` in a process of its own; all that it starts carries a mark in the environment."""

    def __init__(self, root, trials=TRIALS):
        self.mark = uuid.uuid4().hex
        words = ["run", str(STUDY), "--root", str(root), "--trials", str(trials), "--jobs", "2"]
        self.log = (root.parent / f"{self.mark}.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from dse.cli import main; main({words!r})"],
            env={**os.environ, "DSE_TEST_MARK": self.mark},
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def others(self):
        """Process ids, without the runner's, that carry the mark."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self.mark.encode() in (folder / "environ").read_bytes() and int(folder.name) != self.process.pid:
                    state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                    if state != "Z":
                        found.append(int(folder.name))
        return found

    def alone(self):
        """Nothing that the sweep started is left."""
        return not self.others()

    def said(self):
        self.log.seek(0)
        return self.log.read()


def wait_for(condition, seconds):
    """Poll until the condition holds; False when the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def check(root):
    """One final record per trial and per design, and no published stage made twice."""
    folder = root / "tiny"
    records = [row for row in rows(folder / "records.jsonl") if row["kind"] == "record"]
    trials = [row["trial"] for row in records]
    digests = [row["digest"] for row in records]
    assert sorted(trials) == list(range(TRIALS))
    assert len(set(digests)) == TRIALS
    made = collections.Counter((row["stage"], row["key"]) for row in rows(root / "store/made.jsonl"))
    assert {entry: n for entry, n in made.items() if n > 1} == {}


def test_a_sweep_killed_again_and_again_ends_with_one_record_per_trial(tmp_path):
    """SIGKILL of the runner at random moments, then the same command: nothing is lost, nothing is done twice, and no
    worker or compiler outlives its runner.
    """
    dice = random.Random(11)
    root = tmp_path / "root"
    root.mkdir()
    for _ in range(3):
        sweep = Sweep(root)
        assert wait_for((root / "tiny/records.jsonl").exists, 300), sweep.said()
        time.sleep(dice.uniform(0.5, 8))
        os.kill(sweep.process.pid, signal.SIGKILL)
        sweep.process.wait()
        assert wait_for(sweep.alone, 60), sweep.others()
    sweep = Sweep(root)
    assert sweep.process.wait(timeout=900) == 0, sweep.said()
    check(root)
    assert all(record.failure is None for record in open_run(root / "tiny").records), sweep.said()


def test_killed_workers_cost_one_more_try_and_not_the_sweep(tmp_path):
    """SIGKILL of workers at random moments: the trial is tried once more in a fresh worker, the sweep goes on."""
    dice = random.Random(5)
    root = tmp_path / "root"
    root.mkdir()
    sweep = Sweep(root)
    assert wait_for((root / "tiny/records.jsonl").exists, 300), sweep.said()
    for _ in range(3):
        time.sleep(dice.uniform(2, 4))
        victims = [pid for pid in sweep.others() if b"forkserver" not in Path(f"/proc/{pid}/cmdline").read_bytes()[:40]]
        if victims and sweep.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(victims), signal.SIGKILL)
    assert sweep.process.wait(timeout=900) in (0, 1), sweep.said()
    check(root)


def test_ctrl_c_ends_the_sweep_with_130_and_leaves_nothing_running(tmp_path):
    """SIGINT to the runner's whole group, as a terminal sends it: one line, exit code 130, no traceback, no orphans."""
    root = tmp_path / "root"
    root.mkdir()
    sweep = Sweep(root)
    assert wait_for((root / "tiny/records.jsonl").exists, 300), sweep.said()
    time.sleep(3)
    os.killpg(sweep.process.pid, signal.SIGINT)
    assert sweep.process.wait(timeout=120) == 130, sweep.said()
    assert "Traceback" not in sweep.said()
    assert "the same command goes on" in sweep.said()
    assert wait_for(sweep.alone, 60), sweep.others()


def test_an_impatient_ctrl_c_is_as_quiet(tmp_path):
    """Again and again until the command has ended, which takes a moment while networks are trained."""
    root = tmp_path / "root"
    root.mkdir()
    sweep = Sweep(root)
    assert wait_for(lambda: any((root / "tiny").glob("busy-*")), 300), sweep.said()
    while sweep.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(sweep.process.pid, signal.SIGINT)
        time.sleep(0.1)
    assert sweep.process.returncode == 130, sweep.said()
    assert "Traceback" not in sweep.said()
    assert sweep.said().count("the same command goes on") == 1
    assert wait_for(sweep.alone, 60), sweep.others()


def test_ctrl_c_before_any_worker_is_there_is_as_quiet(tmp_path):
    """The process that workers are forked from is importing for seconds: it ends with the others and without a word."""
    root = tmp_path / "root"
    root.mkdir()
    sweep = Sweep(root)

    def importing():
        with contextlib.suppress(OSError):
            return any("/numpy/" in Path(f"/proc/{pid}/maps").read_text() for pid in sweep.others())

    assert wait_for(importing, 60), sweep.said()
    os.killpg(sweep.process.pid, signal.SIGINT)
    assert sweep.process.wait(timeout=60) == 130, sweep.said()
    assert wait_for(sweep.alone, 60), sweep.others()
    assert sweep.said().strip() == "stopped; nothing is lost: the same command goes on from here."
