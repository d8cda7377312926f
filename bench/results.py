"""How fast results are read, judged and drawn: one JSON line of seconds and megabytes.

    python bench/results.py [RECORDS]

RECORDS (default 10,000) synthetic records with four objectives, as `tests/build_run.py` makes them.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def seconds(do):
    """How long a call takes, and what it returns."""
    start = time.perf_counter()
    found = do()
    return round(time.perf_counter() - start, 4), found


def main():
    """Print the figures."""
    sys.path[:0] = [str(Path(__file__).parent.parent / part) for part in ("", "tests")]
    from build_run import build_run

    from dashboards.page import render
    from dse import export, pareto
    from dse.run import open_run
    from dse.view import view

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    random = np.random.default_rng(0)
    cloud, shell = random.random((10_000, 4)), np.abs(random.normal(size=(10_000, 4)))
    shell = 1 - shell / np.linalg.norm(shell, axis=1)[:, None]
    told = {
        "front_10000x4_s": seconds(lambda: pareto.front(cloud))[0],
        "front_10000x4_nothing_dominated_s": seconds(lambda: pareto.front(shell))[0],
        "hypervolume_curve_500x4_s": seconds(lambda: pareto.hypervolume_curve(cloud[:500], [1] * 4))[0],
        "hypervolume_curve_500x4_nothing_dominated_s": seconds(lambda: pareto.hypervolume_curve(shell[:500], [1] * 4))[0],
        "records": count,
    }
    with tempfile.TemporaryDirectory() as folder:
        build_run(Path(folder) / "bench", count)
        told["open_run_s"], run = seconds(lambda: open_run(Path(folder) / "bench"))
        told["view_s"], seen = seconds(lambda: view(run))
        told["on_front"] = len(seen.front)
        told["csv_s"], table = seconds(lambda: export.as_csv(seen))
        told["page_s"], page = seconds(lambda: render(run))
    told |= {"csv_mb": round(len(table) / 1e6, 1), "page_mb": round(len(page.encode()) / 1e6, 1)}
    told["memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
