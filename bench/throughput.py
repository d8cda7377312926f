"""Designs per hour against a plain loop on the same designs, each as a whole process from start to exit.

usage: python bench/throughput.py [--sets 24] [--epochs 20]      (prints two JSON lines)

The first line: that many different designs, each trained, converted, compiled and emulated by both. The second: 24 hardware
variants (6 reuse factors x 2 strategies x 2 IO types) of one trained model; `front_as_built_s` are the seconds that dse needs
to emulate the front exactly as it is built, which the ratio leaves out.
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).parent
STUDY = """
import json
from dse import *
rows = json.loads({rows!r})
def model():
    from tf_keras import Sequential, layers
    return Sequential([layers.Input((64,)), layers.Dense(32, activation="relu", name="fc1"),
                       layers.Dense(16, activation="relu", name="fc2"), layers.Dense(10, name="out")])
def knob(name):
    return Choice(*sorted({{row[name] for row in rows}}))
STUDY = Study(
    name="bench",
    workload=Workload(data=datasets.digits, model=model, training=Training(epochs={epochs}, fine_tune_epochs={epochs})),
    space=Space(weight_bits=knob("weight_bits"), activation_bits=knob("activation_bits"), sparsity=knob("sparsity"),
                input_bits=6, reuse_factor=knob("reuse_factor"), strategy=knob("strategy"), io_type=knob("io_type")),
    target=Target("xcu250-figd2104-2L-e"),
    first=tuple({{k: v for k, v in row.items() if k != "bits" and len(knob(k).values) > 1}} for row in rows),
    trials=len(rows),
)
"""


def different(n):
    """`n` designs with bits, sparsity and hardware knobs drawn with a fixed seed."""
    dice = random.Random(0)
    found = {}
    while len(found) < n:
        row = {
            "bits": dice.randint(3, 12),
            "sparsity": round(0.1 * dice.randint(0, 9), 1),
            "reuse_factor": dice.choice([1, 2, 4, 8, 16]),
            "strategy": dice.choice(["latency", "resource"]),
            "io_type": dice.choice(["io_parallel", "io_stream"]),
        }
        found[(row["bits"], row["sparsity"])] = row
    return list(found.values())


def variants():
    """24 hardware variants of one trained model."""
    knobs = itertools.product([1, 2, 4, 8, 16, 32], ["latency", "resource"], ["io_parallel", "io_stream"])
    return [{"bits": 6, "sparsity": 0.5, "reuse_factor": r, "strategy": s, "io_type": t} for r, s, t in knobs]


def run(command):
    """Seconds from start to exit, and what was printed; stops where the command fails."""
    start = time.time()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})
    if done.returncode != 0:
        sys.exit(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return time.time() - start, done.stdout


def compare(name, rows, epochs):
    """One JSON line about both ways."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "rows.json").write_text(json.dumps(rows))
        plain_s, said = run([sys.executable, str(HERE / "plain_loop.py"), str(root / "rows.json"), str(epochs)])
        plain = json.loads(said.splitlines()[-1])
        ours = [{"weight_bits": row["bits"], "activation_bits": row["bits"], **row} for row in rows]
        (root / "study.py").write_text(STUDY.format(rows=json.dumps(ours), epochs=epochs))
        main = "import sys; from dse.cli import main; main()"
        ours_s, _ = run([sys.executable, "-c", main, "run", str(root / "study.py"), "--root", str(root / "runs")])
        lines = [json.loads(line) for line in (root / "runs/bench/records.jsonl").read_text().splitlines()]
        records = [line for line in lines if line["kind"] == "record"]
        first = min(datetime.fromisoformat(line["time"]) for line in lines if line["kind"] == "asked")
        last = max(datetime.fromisoformat(line["finished"]) for line in records)
        made = [json.loads(line) for line in (root / "runs/store/made.jsonl").read_text().splitlines()]
        front_s = max([row["time"] for row in made if row["stage"] == "verify"], default=last.timestamp()) - last.timestamp()
        loop_s = (last - first).total_seconds()
        scores = [m["values"]["accuracy"] for r in records for m in r["measurements"] if "accuracy" in m["values"]]
    n = len(rows)
    ratio = plain_s / (ours_s - front_s if name == "hardware variants" else ours_s)
    return {
        "bench": name,
        "designs": n,
        "emulated": len(scores),
        "failed": n - len(scores),
        "plain_s": round(plain_s, 1),
        "dse_s": round(ours_s, 1),
        "ratio": round(ratio, 2),
        "plain_per_hour": round(3600 * n / plain_s),
        "dse_per_hour": round(3600 * n / ours_s),
        "plain_steady_per_hour": round(3600 * n / plain["loop_s"]),
        "dse_steady_per_hour": round(3600 * n / loop_s),
        "steady_ratio": round(plain["loop_s"] / loop_s, 2),
        "front_as_built_s": round(front_s, 1),
        "mean_accuracy_plain": round(plain["mean_accuracy"], 4),
        "mean_accuracy_dse": round(sum(scores) / len(scores), 4),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=20)
    asked = parser.parse_args()
    print(json.dumps(compare("different designs", different(asked.sets), asked.epochs)), flush=True)
    print(json.dumps(compare("hardware variants", variants(), asked.epochs)), flush=True)
