"""Designs per hour against a plain loop (`plain_loop.py`), each as a whole process from start to exit: one JSON line per case.

usage: python bench/throughput.py [--only fresh variants front scaling jets images] [--fresh 24] [--front 1000] [--plain 20]
                                  [--jets 200] [--images 100] [--epochs 20]

fresh     different designs, each trained, converted, compiled and emulated by both
variants  24 hardware variants (6 reuse factors x 2 strategies x 2 IO types) of one trained model, emulated by both
front     an enumerated space of the digits network, scored by the float64 reference, front emulated as built; the plain loop
          does --plain designs of it, and its rate is theirs. `hypervolume_share`: what the sweep has of the space's
          hypervolume after the time that the plain loop takes for these designs
scaling   ten times the designs of such a space against a tenth of them: how many times the time
jets      16-64-32-32-5 on 100,000 generated rows, widths per layer, as TPE proposes them, front emulated as built
images    a CNN of three layers on the digits as images, the same

The plain loop runs right before, in the same process list. `peak_gb` is the most memory that all of dse's processes held.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

import cases
import numpy as np

from dse.pareto import hypervolume
from dse.run import open_run
from dse.view import minimised, view

ENVIRONMENT = {**os.environ, "COLUMNS": "200", "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent}"}


def held(group):
    """Bytes that the processes of a session hold: what they share is counted once (proportional set size)."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[3]) == group:
                lines = (stat.parent / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        except (OSError, ValueError):
            continue
    return total


def run(command):
    """Seconds from start to exit, what was printed, and the most memory that was held; stops where the command fails."""
    start, peak = time.time(), 0
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT, start_new_session=True
    )
    said = []
    reader = threading.Thread(target=lambda: said.append(process.stdout.read()))
    reader.start()
    while process.poll() is None:
        peak = max(peak, held(process.pid))
        time.sleep(0.5)
    end = time.time()
    reader.join()
    if process.returncode != 0:
        sys.exit(f"{command} failed:\n{said[0]}")
    return end - start, said[0], peak


def plain(workload, rows, epochs):
    """The plain loop over these designs: seconds from start to exit, and what it says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        path.write_text(json.dumps(rows))
        seconds, said, _ = run([sys.executable, str(HERE / "plain_loop.py"), workload, str(path), str(epochs)])
    return seconds, json.loads(said.splitlines()[-1])


def sweep(call, folder):
    """Sweep the study that `cases.<call>` makes: seconds from start to exit, the run, and the most memory held."""
    root = Path(folder)
    (root / "study.py").write_text(f"import cases\nSTUDY = cases.{call}\n")
    main = "import sys; from dse.cli import main; main()"
    command = [sys.executable, "-c", main, "run", str(root / "study.py"), "--root", str(root / "runs")]
    start = time.time()
    seconds, _, peak = run(command)
    return start, seconds, open_run(root / "runs/bench"), peak


def told(seconds, found, peak):
    """What is said of every sweep."""
    seen = view(found)
    return {
        "designs": len(seen.standings),
        "failed": seen.counts["failed"],
        "front": len(seen.front),
        "emulated": sum(standing.emulated for standing in seen.standings),
        "dse_s": round(seconds, 1),
        "dse_per_hour": round(3600 * len(seen.standings) / seconds),
        "peak_gb": round(peak / 1e9, 2),
        "mean_accuracy_dse": round(float(np.mean([s.record.value("accuracy") or 0.0 for s in seen.standings])), 4),
    }


def against(line, seconds, said):
    """The same line with the plain loop's rate and the ratio of both."""
    rate = 3600 * said["trials"] / seconds
    more = {"plain_designs": said["trials"], "plain_s": round(seconds, 1), "plain_per_hour": round(rate)}
    return {
        **line,
        **more,
        "mean_accuracy_plain": round(said["mean_accuracy"], 4),
        "ratio": round(line["dse_per_hour"] / rate, 2),
    }


def compared(bench, workload, rows, call, epochs):
    """One JSON line about both ways."""
    seconds, said = plain(workload, rows, epochs)
    with tempfile.TemporaryDirectory() as folder:
        start, ours, found, peak = sweep(call, folder)
    line = against({"bench": bench, **told(ours, found, peak)}, seconds, said)
    return line | ({"hypervolume_share": share(found, start + seconds)} if bench == "front" else {})


def share(found, until):
    """What the designs that had a record by then have of the hypervolume of all of them, or 1 where the sweep had ended."""
    seen = view(found)
    values = minimised(seen.goals, seen.feasible)
    corner = values.max(axis=0) + 1e-9 + 0.01 * np.ptp(values, axis=0)
    early = [datetime.fromisoformat(s.record.finished).timestamp() <= until for s in seen.feasible]
    return round(hypervolume(values[np.array(early)], corner) / hypervolume(values, corner), 5)


def scaling(n, epochs):
    """How many times the time ten times the designs take."""
    times = []
    for size in (n // 10, n):
        with tempfile.TemporaryDirectory() as folder:
            _, seconds, found, peak = sweep(f"enumerated({size}, {epochs})", folder)
        times.append((len(found.records), seconds, peak))
    (few, short, _), (many, long, peak) = times
    more = {"times_the_designs": round(many / few, 2), "times_the_time": round(long / short, 2)}
    return {"bench": "scaling", "designs": [few, many], "dse_s": [round(short, 1), round(long, 1)], **more,
            "peak_gb": round(peak / 1e9, 2)}  # fmt: skip


def lines(asked):
    """One line per case, each when it is done."""
    fresh, epochs = cases.different(asked.fresh), asked.epochs
    rows = {"fresh": fresh, "variants": cases.variants(), "front": cases.different(asked.plain)}
    calls = {
        "fresh": f"listed(cases.different({asked.fresh}), {epochs})",
        "variants": f"listed(cases.variants(), {epochs})",
        "front": f"enumerated({asked.front}, {epochs})",
    }
    for bench in asked.only:
        if bench == "scaling":
            yield scaling(asked.front, epochs)
        elif bench in calls:
            yield compared(bench, "digits", rows[bench], calls[bench], epochs)
        else:
            designs = getattr(asked, bench)
            some = cases.per_layer(bench, min(designs, asked.plain))
            yield compared(bench, bench, some, f"searched({bench!r}, {designs}, {epochs})", epochs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = ["fresh", "variants", "front", "scaling", "jets", "images"]
    parser.add_argument("--only", nargs="+", choices=every, default=every)
    for name, default in (("fresh", 24), ("front", 1000), ("plain", 20), ("jets", 200), ("images", 100), ("epochs", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for found in lines(parser.parse_args()):
        print(json.dumps(found), flush=True)
