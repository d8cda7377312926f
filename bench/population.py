"""What training designs together costs, and whether anything is lost by it: the same designs both ways, one after the other.

usage: python bench/population.py [--designs 40] [--more 0] [--orders 2] [--pruned 0] [--study studies/digits.py]

Prints a JSON line. Scores are accuracies (of a regression r2) of the quantised networks on the validation rows. The order of
training rows moves very sparse networks by several percent (a standard deviation of 6 % at 90 % pruned), and designs that are
trained together share it: so both ways take the same `orders`, one by one instead of Keras' own shuffling. `difference` is the
mean over the designs of (together - one by one), with its standard error; `by_sparsity` gives the mean difference and the
number of the designs of each sparsity. `--pruned 0.9` leaves all but the designs out that lose so many of some layer's weights.

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
from unittest import mock

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np

from dse import (
    legacy_keras,  # noqa: F401 - before tensorflow
    scores,
    studyfile,
)
from dse.evaluate import flow_of
from dse.nn import compress, population, train
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


def fit(model, data, training, _epochs, callbacks):
    """As `train.fit`, on rows in the order in which networks are trained together."""
    from tf_keras.optimizers import Adam

    rows, weights = data.train, scores.row_weights(training, data.train.y, data.classes)
    model.compile(Adam(training.learning_rate), train.objective(data.task, int(model.output_shape[1])))
    manner = {"batch_size": training.batch_size, "shuffle": False, "verbose": 0, "callbacks": callbacks}
    for order in population.orders(training, len(rows.y)):
        model.fit(rows.x[order], rows.y[order], sample_weight=None if weights is None else weights[order], **manner)


def one_by_one(workload, designs, base, root, seed):
    """The scores of a network per design through QKeras and tfmot, and the seconds of training."""
    found, spent = [], 0.0
    for design in designs:
        folder = Path(tempfile.mkdtemp(dir=root))
        start = time.monotonic()
        with mock.patch.object(train, "fit", fit):
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
    """What is said of scores (orders, designs) of both ways."""
    apart = (together - alone).mean(axis=0)
    told = {
        "mean_together": together.mean(),
        "mean_alone": alone.mean(),
        "difference": apart.mean(),
        "standard_error": np.std(apart, ddof=1) / np.sqrt(len(apart)),
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
    designs = [design for design in designs if max(design.compression.sparsity.values) >= asked.pruned]
    workload, first = study.workload, study.workload.training.seed
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        base.mkdir()
        train.train(workload, designs[0].architecture, base)
        seeds = range(first, first + asked.orders)
        together = [at_once(workload, designs, base, folder, seed) for seed in seeds]
        more_s = at_once(workload, more, base, folder, first)[1] if more else 0.0
        alone = [one_by_one(workload, designs, base, folder, seed) for seed in seeds]
    told = {"study": study.name, "designs": len(designs), "more": len(more), "orders": asked.orders}
    told |= {"together_s": round(together[0][1], 2), "more_s": round(more_s, 2), "alone_s": round(alone[0][1], 2)}
    print(json.dumps(told | compared(designs, *(np.array([found for found, _ in way]) for way in (together, alone)))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("designs", 40), ("more", 0), ("orders", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--pruned", type=float, default=0.0)
    parser.add_argument("--study", type=Path, default=Path(__file__).parents[1] / "studies/digits.py")
    main(parser.parse_args())
