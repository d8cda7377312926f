"""How far the estimate is from what vendors' tools have stated; one JSON line.

    python bench/estimator.py LAYERS.csv               dense layers, columns of `dense_layers.csv`
    python bench/estimator.py --designs DESIGNS.csv    whole networks, columns of `designs.csv`
    ... --by source                                    one line per value of a column
    ... --by grade                                     of layers: one line per grade of the estimate
    ... --baseline                                     gradient boosting on the same table, shapes held out in turn

For each figure: n, smape (percent; 0 where both are 0), median_relative_error (where something was found), spearman,
within2x (both 0 counts), coverage of the 90 % interval. Cells without a figure are not counted; rows that no closed form
supports are counted under "unsupported" with their reasons.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.designs import estimate_design
from dse.errors import DseError
from dse.synth.estimate.cost import FIGURES
from dse.synth.estimate.fit import shipped
from dse.synth.estimate.layer import figures
from dse.synth.estimate.published import PublishedLayer, layers_of, number

COLUMNS = {
    "dsp": "DSP",
    "lut": "LUT",
    "ff": "FF",
    "bram_18k": "BRAM_18K",
    "latency_cycles": "latency_max",
    "interval_cycles": "ii_max",
}


MEASURES = ("smape", "median_relative_error", "spearman", "within2x", "coverage")


@dataclass(frozen=True)
class Guess:
    """Figures of one row with their 90 % intervals, or why there are none."""

    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    reason: str = ""
    grade: str = "none"


def guess_layer(layer: PublishedLayer | str) -> Guess:
    """The estimate of one published layer; a row that could not be read brings its reason."""
    if isinstance(layer, str):
        return Guess({}, {}, layer)
    try:
        found = layer.cost(shipped())
    except DseError as error:
        return Guess({}, {}, str(error))
    exact = {name: getattr(found.cost, name) for name in FIGURES}
    intervals = {n: shipped().interval(n, v, found.scores[n]) for n, v in exact.items()}
    return Guess(figures(found.cost), intervals, grade=found.grade)


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties share their mean."""
    order = np.argsort(values, kind="stable")
    found = np.empty(len(values))
    found[order] = np.arange(1, len(values) + 1)
    for value in np.unique(values):
        found[values == value] = found[values == value].mean()
    return found


def judged(guess: np.ndarray, wanted: np.ndarray, covered: Sequence[bool] | None) -> dict[str, float | int | None]:
    """The six numbers for one figure."""
    total = guess + wanted
    error = np.where(total == 0, 0.0, 200 * np.abs(guess - wanted) / np.where(total == 0, 1, total))
    some = wanted > 0
    near = ((guess <= 2 * wanted) & (wanted <= 2 * guess)) | (total == 0)
    varied = len(set(guess)) > 1 and len(set(wanted)) > 1
    spearman = float(np.corrcoef(ranks(guess), ranks(wanted))[0, 1]) if varied else None
    middle = float(np.median(np.abs(guess - wanted)[some] / wanted[some])) if some.any() else None
    return {
        "n": len(wanted),
        "smape": round(float(error.mean()), 2),
        "median_relative_error": None if middle is None else round(middle, 4),
        "spearman": None if spearman is None else round(spearman, 4),
        "within2x": round(float(near.mean()), 4),
        "coverage": None if covered is None else round(float(np.mean(covered)), 4),
    }


def report(rows: Sequence[dict[str, str]], guesses: Sequence[Guess]) -> dict[str, object]:
    """All figures of a table, and what was left out."""
    found: dict[str, object] = {}
    for name, column in COLUMNS.items():
        pairs = [(g, number(row, column)) for row, g in zip(rows, guesses, strict=True) if name in g.values]
        some = [(g, w) for g, w in pairs if w is not None]
        if not some:
            found[name] = {"n": 0, **dict.fromkeys(MEASURES)}
            continue
        covered = [g.intervals[name][0] <= w <= g.intervals[name][1] for g, w in some]
        found[name] = judged(np.array([g.values[name] for g, _ in some]), np.array([w for _, w in some]), covered)
    reasons = Counter(g.reason for g in guesses if g.reason)
    return {**found, "rows": len(rows), "unsupported": sum(reasons.values()), "reasons": dict(reasons)}


def features(layer: PublishedLayer) -> list[float]:
    """What the baseline sees of a layer: everything that the estimate sees, as plain numbers."""
    p, t = layer.product, layer.tool
    c = p.constants
    sizes = (p.n_in, p.n_out, p.reuse_factor, p.multipliers, p.input_bits, p.weight_bits, p.accumulator_bits)
    forced = ("auto", "dsp", "fabric").index(t.multipliers)
    return [*sizes, p.strategy == "latency", c.terms, c.pairs, c.multipliers, c.digits, t.clock_ns, t.vitis, forced]


def baseline(rows: Sequence[dict[str, str]], layers: Sequence[PublishedLayer], by: str) -> dict[str, object]:
    """Gradient boosting on log figures, groups held out in turn: shapes ("shape") or whole sources ("source")."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import GroupKFold

    x = np.array([features(layer) for layer in layers], dtype=float)
    groups = [row["source"] if by == "source" else f"{row['n_in']}x{row['n_out']}" for row in rows]
    found: dict[str, object] = {}
    for name, column in COLUMNS.items():
        y = np.array([number(row, column) if number(row, column) is not None else np.nan for row in rows])
        known = np.flatnonzero(~np.isnan(y))
        kept = [groups[i] for i in known]
        guess = np.zeros(len(known))
        for train, test in GroupKFold(min(10, len(set(kept)))).split(known, groups=kept):
            model = HistGradientBoostingRegressor(max_iter=400, learning_rate=0.05, min_samples_leaf=5)
            model.fit(x[known[train]], np.log1p(y[known[train]]))
            guess[test] = np.expm1(model.predict(x[known[test]]))
        found[name] = judged(np.maximum(np.rint(guess), 0), y[known], None)
    return found


def groups_of(rows: Iterable[dict[str, str]], column: str | None) -> dict[str, list[int]]:
    """Row numbers by the value of a column; one group where none is given."""
    found: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        found.setdefault("" if column is None else row.get(column, ""), []).append(i)
    return found


def main() -> None:
    """Read the table, estimate every row, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--designs", action="store_true", help="the table holds whole networks")
    parser.add_argument("--by", metavar="COLUMN", help="one line per value of this column")
    parser.add_argument("--baseline", choices=("shape", "source"), help="gradient boosting with these held out in turn")
    given = parser.parse_args()
    with given.table.open() as file:
        rows = list(csv.DictReader(file))
    if given.designs:
        guesses = [Guess(*estimate_design(row, given.table.parent)) for row in rows]
    else:
        layers = layers_of(rows)
        if given.baseline:
            read = [i for i, layer in enumerate(layers) if isinstance(layer, PublishedLayer)]
            for value, some in groups_of([rows[i] for i in read], given.by).items():
                mine = [(rows[read[i]], layer) for i in some if isinstance(layer := layers[read[i]], PublishedLayer)]
                found = baseline([row for row, _ in mine], [layer for _, layer in mine], given.baseline)
                print(json.dumps({given.by: value, **found} if given.by else found))
            return
        guesses = [guess_layer(layer) for layer in layers]
        rows = [{**row, "grade": guess.grade} for row, guess in zip(rows, guesses, strict=True)]
    for value, some in groups_of(rows, given.by).items():
        found = report([rows[i] for i in some], [guesses[i] for i in some])
        print(json.dumps({given.by: value, **found} if given.by else found))


if __name__ == "__main__":
    main()
