"""What training designs together costs, and whether anything is lost by it: the same designs both ways, one after the other.

usage: python bench/population.py [--designs 40] [--more 0] [--orders 8] [--repeats 1] [--study studies/digits.py]

Prints a JSON line. Scores are accuracies (of a regression r2) of the quantised networks on the validation rows. The order of
training rows is drawn from a seed, and moves very sparse networks by several percent. Designs that are trained together share
an order, so they are trained with `orders` of them; one by one every design is trained `repeats` times, each with an order
that no other has. `difference` is the mean over the designs of (together - one by one), `standard_error` what both kinds of
chance make of it; `by_sparsity` gives the mean difference and the number of the designs of each sparsity.

Seconds: `alone_s` for the networks of all `designs` through QKeras and tfmot, once, `together_s` for the same as one program,
which is compiled first; `more_s` for so many `more` designs in the same process. The float network was trained before, for all.
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


def seeded(workload, seed, *, together=True):
    """The same workload with another order of rows."""
    return replace(workload, training=replace(workload.training, seed=seed, together=together))


def one_by_one(workload, designs, base, root, seeds):
    """The scores of a network per design through QKeras and tfmot, each with its own seed, and the seconds of training."""
    found, spent = [], 0.0
    for design, seed in zip(designs, seeds, strict=True):
        folder = Path(tempfile.mkdtemp(dir=root))
        start = time.monotonic()
        compress.compress(seeded(workload, seed, together=False), design, base, folder)
        spent += time.monotonic() - start
        found.append(score(workload, design, folder))
    return np.array(found), spent


def at_once(workload, designs, base, root, seed):
    """The same for all of them together, with one seed."""
    start = time.monotonic()
    batches = list(compress.together(compress.Base(seeded(workload, seed), designs[0].architecture, base), designs))
    spent = time.monotonic() - start
    found = []
    for design, one in zip(designs, (one for batch in batches for one in batch), strict=True):
        folder = Path(tempfile.mkdtemp(dir=root))
        one.leave(folder)
        found.append(score(workload, design, folder))
    return np.array(found), spent


def score(workload, design, folder):
    """Of the network in a folder, by QKeras' own quantisers."""
    data = train.load_split(workload)
    outputs = train.outputs(compress.load_model(workload, design, folder), data.validation.x)
    return (scores.r2 if data.task == "regression" else scores.accuracy)(outputs, data.validation.y)


def compared(designs, together, alone):
    """What is said of scores (orders, designs) and (repeats, designs)."""
    apart = together.mean(axis=0) - alone.mean(axis=0)
    designs_chance = np.std(apart, ddof=1) / np.sqrt(len(apart))  # one by one each design has orders of its own
    orders_chance = np.std(together.mean(axis=1), ddof=1) / np.sqrt(len(together)) if len(together) > 1 else 0.0
    told = {
        "mean_together": together.mean(),
        "mean_alone": alone.mean(),
        "difference": apart.mean(),
        "standard_error": np.hypot(designs_chance, orders_chance),
    }
    pruned = np.array([max(design.compression.sparsity.values) for design in designs])
    by = {
        str(share): [round(float(apart[pruned == share].mean()), 4), int((pruned == share).sum())]
        for share in np.unique(pruned)
    }
    return {name: round(float(value), 5) for name, value in told.items()} | {"by_sparsity": by}


def main(asked):
    """Both ways, and one JSON line."""
    study = studyfile.load(asked.study)
    designs = drawn(study, asked.designs + asked.more)
    designs, more = designs[: asked.designs], designs[asked.designs :]
    workload, first = study.workload, study.workload.training.seed
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        base.mkdir()
        train.train(workload, designs[0].architecture, base)
        together = [at_once(workload, designs, base, folder, first + i) for i in range(asked.orders)]
        more_s = at_once(workload, more, base, folder, first)[1] if more else 0.0
        seeds = first + asked.orders + np.arange(asked.repeats * len(designs)).reshape(asked.repeats, -1)
        alone = [one_by_one(workload, designs, base, folder, row.tolist()) for row in seeds]
    told = {"study": study.name, "designs": len(designs), "more": len(more), "orders": asked.orders, "repeats": asked.repeats}
    told |= {"together_s": round(together[0][1], 2), "more_s": round(more_s, 2), "alone_s": round(alone[0][1], 2)}
    print(json.dumps(told | compared(designs, *(np.array([found for found, _ in way]) for way in (together, alone)))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("designs", 40), ("more", 0), ("orders", 8), ("repeats", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--study", type=Path, default=Path(__file__).parents[1] / "studies/digits.py")
    main(parser.parse_args())
