"""Studies as a user runs them, from the command to the front: one JSON line per study.

usage: python bench/studies.py [--trials 10] [--jobs N] STUDY.py[=DATA] ...

DATA is given to `--data`. `trials_per_hour` counts from start to exit, set-up and the proof of the front included; `agreement`
is the least of any design on any rows, and must be 1 where the study's workload is exact.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dse.run import open_run
from dse.studyfile import load
from dse.summary import grades
from dse.view import view


def timed(study: Path, options: list[str]) -> dict[str, object]:
    """Run one study in a folder of its own, and say what came of it."""
    with tempfile.TemporaryDirectory(prefix="dse-bench-") as root:
        command = [str(Path(sys.executable).with_name("dse")), "run", str(study), "--root", root, *options]
        start = time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            return {"study": study.stem, "failed": (done.stderr or done.stdout).strip()[-400:]}
        seen = view(open_run(Path(root) / load(study).name))
    records = [standing.record for standing in seen.standings]
    shares = [record.value(name) for record in records for name in ("agreement", "agreement_test")]
    known = [share for share in shares if share is not None]
    accuracies = [value for record in records if (value := record.value("accuracy")) is not None]
    return {
        "study": study.stem,
        "trials": len(records),
        "seconds": round(seconds),
        "trials_per_hour": round(3600 * len(records) / seconds),
        "front": len(seen.front),
        "grades": grades(seen),
        "failed": sum(record.failure is not None for record in records),
        "agreement": min(known) if known else None,
        "best_accuracy": max(accuracies) if accuracies else None,
    }


def main() -> None:
    """Time the studies one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="+", metavar="STUDY.py[=DATA]")
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--jobs", type=int)
    given = parser.parse_args()
    for each in given.studies:
        study, _, data = each.partition("=")
        options = ["--trials", str(given.trials)]
        options += ["--jobs", str(given.jobs)] if given.jobs is not None else []
        options += ["--data", data] if data else []
        print(json.dumps(timed(Path(study), options)), flush=True)


if __name__ == "__main__":
    main()
