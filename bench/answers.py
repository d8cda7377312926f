"""How long a trial takes that the store can answer.

usage: python bench/answers.py [--designs 24]      (prints one JSON line)

A small study is swept once; then its records are removed and it is swept again with one worker and the same seed, every
stage answered from the store. `answer_ms` is the time from the first trial's begin to the last one's end, asking,
evaluating and writing the records together, over their number; `step_ms_median` and `step_ms_worst` the times from one record
to the next.
"""

import argparse
import itertools
import json
import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from dashboards.columns import moment
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
        begun = min(moment(asked.time) for asked in run.asked.values())
        ends = sorted(moment(record.finished) for record in run.records)
    steps = [1000 * (after - before) for before, after in itertools.pairwise(ends)]
    print(
        json.dumps(
            {
                "bench": "answered from the store",
                "designs": len(run.records),
                "made_again": again,
                "answer_ms": round(1000 * (ends[-1] - begun) / len(ends), 1),
                "step_ms_median": round(statistics.median(steps), 1),
                "step_ms_worst": round(max(steps), 1),
                "first_ms": round(1000 * (ends[0] - begun), 1),
            }
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=24)
    main(parser.parse_args().designs)
