"""Studies as a user runs them, from the command to the front: one JSON line per study.

usage: python bench/studies.py [--trials 8] [--jobs N] [STUDY.py[=DATA] ...]

Without studies: all of studies/. DATA is given to `--data`; studies that need a file and are given none run on one drawn
at random, in the same format ("data": "drawn"): that costs the same time, and the scores say nothing. `trials_per_hour` counts
from start to exit, set-up and the proof of the front included; `agreement` is the least of any design on any rows, and must be
1 where the study's workload is exact; `grades` counts the designs by the grade of their estimate.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from dse.run import open_run
from dse.studyfile import load
from dse.summary import grades
from dse.view import view

#: Tools that draw what a study needs, and the file's name; `trained_model` finds its model where it is run.
DRAWN = {
    "jets": ("jets_like.py", "jets.csv"),
    "svhn": ("svhn_like.py", "train_32x32.mat"),
    "trained_model": ("digits_model.py", "digits.keras"),
}
#: Rows of a drawn file of images or tracks.
ROWS = 5000


def drawn(name: str, folder: Path) -> str:
    """Leave in `folder` what the study needs, and return what to give to `--data`; "" where it needs nothing."""
    if name in DRAWN:
        tool, file = DRAWN[name]
        subprocess.run([sys.executable, str(ROOT / "tools" / tool), file], check=True, cwd=folder, capture_output=True)
        return "" if name == "trained_model" else str(folder / file)
    random, path = np.random.default_rng(0), folder / f"{name}.npz"
    if name == "mnist":
        y = np.arange(ROWS) % 10
        places = random.integers(0, 256, size=(10, 28, 28)) * (random.random((10, 28, 28)) < 0.2)
        np.savez(path, x=(places[y] * random.uniform(0.5, 1, (ROWS, 28, 28))).astype(np.uint8), y=y)
    elif name == "track_quality_bdt":
        x = random.normal(size=(ROWS, 7)).astype(np.float32)
        np.savez(path, x=x, y=(x[:, 0] * x[:, 1] + x[:, 2] + random.normal(size=ROWS) > 0).astype(int))
    return str(path) if path.exists() else ""


def timed(study: Path, data: str, options: list[str]) -> dict[str, object]:
    """Run one study in a folder of its own, and say what came of it."""
    with tempfile.TemporaryDirectory(prefix="dse-bench-") as root:
        made = "" if data else drawn(study.stem, Path(root))
        options = options + (["--data", data or made] if data or made else [])
        command = [str(Path(sys.executable).with_name("dse")), "run", str(study.resolve()), "--root", root, *options]
        start = time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=root)
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
        "data": "given" if data else "drawn" if made else "built in",
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
    parser.add_argument("studies", nargs="*", metavar="STUDY.py[=DATA]")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--jobs", type=int)
    given = parser.parse_args()
    for each in given.studies or sorted(map(str, (ROOT / "studies").glob("*.py"))):
        study, _, data = each.partition("=")
        options = ["--trials", str(given.trials)]
        options += ["--jobs", str(given.jobs)] if given.jobs is not None else []
        print(json.dumps(timed(Path(study), str(Path(data).resolve()) if data else "", options)), flush=True)


if __name__ == "__main__":
    main()
