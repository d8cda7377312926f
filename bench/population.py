"""What training designs together costs, and whether anything is lost by it: the same designs both ways, one after the other.

usage: python bench/population.py [--designs 40] [--more 0] [--seed 0] [--study studies/digits.py]   (prints a JSON line)

Scores are accuracies (of a regression r2) of the quantised networks on the validation rows, paired by design: `difference` is
the mean of (together - one by one), `standard_error` its own, `largest` the largest ones with their designs' sparsities. The
order of rows is drawn from the seed for all designs alike; it moves very sparse networks by several percent.

Seconds: `alone_s` for the networks of all `designs` through QKeras and tfmot, `together_s` for the same as one program, which
is compiled first; `more_s` for so many `more` designs in the same process. The float network was trained before, for both.
"""

import argparse
import json
import os
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np

from dse import scores, studyfile
from dse.evaluate import flow_of
from dse.nn import compress, train
from dse.worker import architectures


def drawn(study, n):
    """`n` designs of the study's space with different compressions and its first architecture, drawn with a fixed seed."""
    architecture = next(architectures(study))
    space, dice = study.space.resolved(flow_of(study.workload).layers(architecture)), random.Random(0)
    fixed = {f"architecture.{name}": value for name, value in architecture}
    found = {}
    while len(found) < n:
        design = space.design({name: dice.choice(domain.values) for name, domain in space.domains.items()} | fixed)
        found.setdefault(design.compression, design)
    return list(found.values())


def one_by_one(workload, designs, base, root):
    """The seconds that QKeras and tfmot need to leave a network per design in folders of `root`."""
    alone = replace(workload, training=replace(workload.training, together=False))
    start = time.monotonic()
    for i, design in enumerate(designs):
        (root / f"alone-{i}").mkdir()
        compress.compress(alone, design, base, root / f"alone-{i}")
    return time.monotonic() - start


def at_once(workload, designs, base, root):
    """The same for all of them together."""
    start = time.monotonic()
    batches = compress.together(compress.Base(workload, designs[0].architecture, base), designs)
    for i, one in enumerate(one for batch in batches for one in batch):
        (root / f"together-{i}").mkdir(exist_ok=True)
        one.leave(root / f"together-{i}")
    return time.monotonic() - start


def score(workload, design, folder):
    """Of the network in a folder, by QKeras' own forward pass."""
    data = train.load_split(workload)
    outputs = train.outputs(compress.load_model(workload, design, folder), data.validation.x)
    return (scores.r2 if data.task == "regression" else scores.accuracy)(outputs, data.validation.y)


def main(asked):
    """Both ways, and one JSON line."""
    study = studyfile.load(asked.study)
    designs = drawn(study, asked.designs + asked.more)
    workload = replace(study.workload, training=replace(study.workload.training, seed=asked.seed))
    designs, more = designs[: asked.designs], designs[asked.designs :]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        base = root / "base"
        base.mkdir()
        train.train(workload, designs[0].architecture, base)
        told = {"study": study.name, "designs": len(designs), "more": len(more)}
        told["together_s"] = round(at_once(workload, designs, base, root), 2)
        pairs = {"together": [score(workload, design, root / f"together-{i}") for i, design in enumerate(designs)]}
        told["more_s"] = round(at_once(workload, more, base, root), 2) if more else 0
        told["alone_s"] = round(one_by_one(workload, designs, base, root), 2)
        pairs["alone"] = [score(workload, design, root / f"alone-{i}") for i, design in enumerate(designs)]
    apart = np.array(pairs["together"]) - np.array(pairs["alone"])
    told |= {f"mean_{name}": round(float(np.mean(found)), 5) for name, found in pairs.items()}
    told["difference"] = round(float(np.mean(apart)), 5)
    told["standard_error"] = round(float(np.std(apart) / np.sqrt(len(apart))), 5)
    most = np.argsort(-np.abs(apart))[:5]
    told["largest"] = [[round(float(apart[i]), 4), max(designs[i].compression.sparsity.values)] for i in most]
    print(json.dumps(told))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=40)
    parser.add_argument("--more", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--study", type=Path, default=Path(__file__).parents[1] / "studies/digits.py")
    main(parser.parse_args())
