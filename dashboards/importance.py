"""Which knobs matter for which figure: how much worse a simple model gets when it no longer knows a knob."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboards.knob import Floats, Ints, Knob, ranked
from dashboards.sight import Sight
from dse.export import knob_order

#: Knobs with more values are cut into so many groups of equal size.
GROUPS = 8
FOLDS = 5
#: Fewer designs tell nothing.
LEAST = 30
#: More designs tell no more; the last ones are taken.
MOST = 5000
SHUFFLES = 3


@dataclass(frozen=True)
class Importance:
    """`shares` (knobs, metrics): how much of the ranks' variance among unseen designs is a knob's doing; `explained`
    (metrics,): how much the model accounts for with all of them. Both at least 0; 1 is everything.
    """

    knobs: tuple[str, ...]
    metrics: tuple[str, ...]
    shares: Floats
    explained: Floats
    designs: int


def importance(sight: Sight) -> Importance | None:
    """The importance of every knob that differs for every objective; None where too few designs are measured.

    The figures' ranks are fitted by a sum of one effect per knob (least squares on groups of its values), which does not
    mind that a search visits some values more often than others. Each fifth of the designs is predicted from the others;
    then once more with one knob's values shuffled. An effect that is put in the wrong place costs its variance twice, once for
    being missed and once for being wrong: half of what is lost is that knob's share. Effects that knobs have only together
    count for none of them; `explained` says how much is missing. Among few designs the fit follows chance, too, which costs
    `explained` and not the shares: they are made smaller, all alike, until they add up to no more. Deterministic.
    """
    rows = np.flatnonzero(~np.isnan(sight.costs).any(axis=1) & (sight.columns.failure < 0))[-MOST:]
    names: list[str] = []
    groups: list[Ints] = []
    for name in sorted(sight.columns.knobs, key=knob_order):
        found = _grouped(sight.columns.setting(name), rows)
        if found is not None and not any(np.array_equal(found, other) for other in groups):
            names.append(name)
            groups.append(found)
    if len(rows) < LEAST or not names:
        return None
    metrics = tuple(objective.metric for objective in sight.goals.objectives)
    targets = np.column_stack([_ranks(sight.costs[rows, place]) for place in range(len(metrics))])
    whole, without = _errors(groups, targets)
    total = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    total = np.where(total > 0, total, np.inf)
    shares = np.maximum((without - whole) / (2 * total), 0.0)
    explained = np.maximum(1 - whole / total, 0.0)
    shares *= np.minimum(1.0, explained / np.maximum(shares.sum(axis=0), 1e-12))
    return Importance(tuple(names), metrics, shares, explained, len(rows))


def _errors(groups: list[Ints], targets: Floats) -> tuple[Floats, Floats]:
    """The squares that are left unexplained with all knobs (metrics,), and with each knob shuffled (knobs, metrics)."""
    random = np.random.default_rng(0)
    folds = random.permutation(len(targets)) % FOLDS
    whole, without = np.zeros(targets.shape[1]), np.zeros((len(groups), targets.shape[1]))
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        weights = _fit(_design(groups, train), targets[train])
        whole += _error(groups, test, weights, targets)
        for place, found in enumerate(groups):
            for _ in range(SHUFFLES):
                mixed = list(groups)
                mixed[place] = found.copy()
                mixed[place][test] = random.permutation(found[test])
                without[place] += _error(mixed, test, weights, targets) / SHUFFLES
    return whole, without


def _grouped(knob: Knob, rows: Ints) -> Ints | None:
    """A group's number for each row, or None where there is one group only."""
    codes, values = ranked(Knob(knob.codes[rows], knob.values))
    if len(values) > GROUPS:
        # neighbours go together, about equally many designs to a group
        counts = np.bincount(codes[codes >= 0], minlength=len(values))
        groups = np.minimum(GROUPS * (np.cumsum(counts) - counts) // max(counts.sum(), 1), GROUPS - 1)
        codes = np.append(groups, -1)[codes]
    found: Ints = np.unique(codes, return_inverse=True)[1].reshape(-1)
    return found if found.max(initial=0) > 0 else None


def _ranks(values: Floats) -> Floats:
    """Ranks from 0 to 1, the mean rank for equal values."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle = (ends - counts + ends - 1) / 2 / max(len(values) - 1, 1)
    return np.asarray(middle, dtype=np.float64)[inverse.reshape(-1)]


def _design(groups: list[Ints], rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """One column per knob and group, and one of ones."""
    wide = [np.eye(int(found.max()) + 1)[found[rows]] for found in groups]
    return np.column_stack([np.ones(int(rows.sum())), *wide])


def _fit(design: Floats, targets: Floats) -> Floats:
    """Least squares; a little ridge keeps groups that are rare, or alike in all designs, from running away."""
    ridge = np.eye(design.shape[1])
    ridge[0, 0] = 1e-6
    return np.asarray(np.linalg.solve(design.T @ design + ridge, design.T @ targets), dtype=np.float64)


def _error(groups: list[Ints], rows: np.ndarray[tuple[int], np.dtype[np.bool_]], weights: Floats, targets: Floats) -> Floats:
    """The sum of squares over these rows, for each target."""
    errors: Floats = ((_design(groups, rows) @ weights - targets[rows]) ** 2).sum(axis=0)
    return errors
