"""How long a trial takes that the store can answer.

usage: python bench/answers.py [--designs 24]      (prints one JSON line)

A small study is swept once; then its records are removed and it is swept again with one worker and the same seed, every
stage answered from the store. `answer_ms` is the time from one trial's begin to the next one's: asking, evaluating and
writing the record together.
"""

import argparse
import itertools
import json
import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from dse import Options, explore
from dse.run import open_run
from tests.tiny import STUDY


def main(designs):
    """One JSON line."""
    study = replace(STUDY, sampler="random", trials=designs)
    with tempfile.TemporaryDirectory() as root:
        explore(study, Options(root=root, quiet=True))
        made = Path(root, "store/made.jsonl")
        before = made.read_text()
        shutil.rmtree(Path(root, study.name))
        explore(study, Options(root=root, quiet=True, jobs=1))
        run = open_run(Path(root, study.name))
        again = made.read_text() != before
        times = [datetime.fromisoformat(asked.time).timestamp() for asked in run.asked.values()]
    steps = [1000 * (after - begun) for begun, after in itertools.pairwise(times)]
    print(
        json.dumps(
            {
                "bench": "answered from the store",
                "designs": len(run.records),
                "made_again": again,
                "answer_ms_median": round(statistics.median(steps[1:]), 1),
                "answer_ms_worst": round(max(steps[1:]), 1),
                "first_ms": round(steps[0], 1),
            }
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=24)
    main(parser.parse_args().designs)
