"""Prices and delays of unrolled product sums, fitted to published layers."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from sklearn.linear_model import LinearRegression

sys.path.insert(0, str(Path(__file__).parents[1]))

from dse.errors import UsageError
from dse.synth.estimate.layer import unlike
from dse.synth.estimate.published import PublishedLayer, layers_of
from dse.synth.estimate.unrolled import KNOWN_FFS, ff_terms, lut_terms, schedule

COLUMNS = {
    "dsp": "DSP",
    "lut": "LUT",
    "ff": "FF",
    "bram_18k": "BRAM_18K",
    "latency_cycles": "latency_max",
    "interval_cycles": "ii_max",
}
DELAYS = {
    "addition": (0.73, 1.6),
    "vitis": (1.0, 1.8),
    "levels_block": (0.0, 3.0),
    "levels_shift": (0.0, 2.5),
}
NONE: Mapping[str, float] = MappingProxyType({})
#: What prices would be if every bit of an operator took one LUT or one register: an addition of 16 bits in a tree, one behind a
#: DSP block standing alone (see `adder_luts`).
PHYSICS = {
    "sum": 16.0,
    "negation_bit": 1.0,
    "pair_bit": 1.0,
    "block": 7.0,
    "fabric_bit": 1.0,
    "cut_bit": 1.0,
    "waiting_bit": 1.0,
}
#: Weight of being off PHYSICS by 100 %, against 1 for all layers together: it decides where layers say nothing.
PULL = 0.01
#: The share of the points whose middle is taken.
BEST = 0.03


@dataclass(frozen=True)
class Sample:
    """One published layer with what the tool stated."""

    source: str
    project: str
    shape: tuple[int, int]
    layer: PublishedLayer
    found: dict[str, float]


def samples(path: Path) -> list[Sample]:
    """Every row of dense_layers.csv."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    found = []
    for row, layer in zip(rows, layers_of(rows), strict=True):
        if isinstance(layer, str):
            raise UsageError(f"{path}, {row['design_id']} {row['layer']}: {layer}")
        figures = {name: float(row[column]) for name, column in COLUMNS.items() if row[column] not in ("", "?")}
        found.append(Sample(row["source"], project_of(row), (layer.product.n_in, layer.product.n_out), layer, figures))
    return found


def project_of(row: Mapping[str, str]) -> str:
    """Whose design it is: one source collects the single designs of several groups."""
    return row["design_id"] if row["source"] == "misc_vitis_projects" else row["source"]


def weights(chosen: Sequence[Sample]) -> np.ndarray:
    """A project weighs as the root of its layers: many alike say little more than a few."""
    sizes = {p: sum(s.project == p for s in chosen) for p in {s.project for s in chosen}}
    found = np.array([sizes[s.project] ** -0.5 for s in chosen])
    return found / found.sum()


def prices(
    rows: Sequence[dict[str, float]],
    wanted: np.ndarray,
    weight: np.ndarray,
    known: Mapping[str, float] = NONE,
    towards: Mapping[str, float] = NONE,
) -> dict[str, float]:
    """Non-negative prices whose sum comes nearest in relative absolute error (iteratively reweighted least squares).

    `known` prices are not fitted. Where the rows say nothing of a price, `towards` does.
    """
    names = [name for name in rows[0] if name not in known]
    terms = np.array([[row[name] for name in names] for row in rows], dtype=float)
    given = np.array([sum(price * row[name] for name, price in known.items()) for row in rows])
    scale = np.maximum(wanted, 10.0)
    robust = np.ones(len(wanted))
    wish = np.array([towards.get(name, 1.0) for name in names])
    pull = np.array([PULL * (name in towards) for name in names]) / wish**2
    fit = LinearRegression(positive=True, fit_intercept=False)
    for _ in range(10):
        each = np.append(weight * robust / scale**2, pull)
        fit.fit(np.vstack([terms, np.eye(len(names))]), np.append(wanted - given, wish), each)
        guess = terms @ fit.coef_ + given
        scale = np.maximum((guess + wanted) / 2, 10.0)
        robust = 1 / np.maximum(np.abs(guess - wanted) / scale, 0.06)
    return {name: round(float(price), 4) for name, price in zip(names, fit.coef_, strict=True)} | dict(known)


def smape(guess: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Symmetric error of each pair, percent; 0 where both are 0."""
    total = guess + wanted
    return np.where(total == 0, 0.0, 200 * np.abs(guess - wanted) / np.where(total == 0, 1, total))


def delay_loss(chosen: Sequence[Sample], delays: dict[str, float]) -> tuple[float, dict[str, float]]:
    """Error in latency, interval and flip-flops of one set of delays, and the flip-flops' prices under it."""
    weight = weights(chosen)
    latency, interval, rows = [], [], []
    for s in chosen:
        plan = schedule(s.layer.product, s.layer.tool, delays)
        once = s.layer.product.regime == "unrolled_resource"
        latency.append(float(plan.stages if once else plan.latency))
        interval.append(latency[-1] + 1 if once else min(s.layer.product.reuse_factor, latency[-1] + 1))
        rows.append(ff_terms(s.layer.product, s.layer.tool, plan))
    wanted = {name: np.array([s.found[name] for s in chosen]) for name in ("latency_cycles", "interval_cycles", "ff")}
    own = np.array([s.layer.product.regime == "unrolled" for s in chosen])
    mine = [row for row, one in zip(rows, own, strict=True) if one]
    price = prices(mine, wanted["ff"][own], weight[own], KNOWN_FFS, PHYSICS)
    ff = np.array([sum(price[name] * row[name] for name in row) for row in rows])
    loss = float(weight @ smape(np.array(latency), wanted["latency_cycles"]))
    loss += 0.3 * float(weight @ smape(np.array(interval), wanted["interval_cycles"]))
    return loss + 0.35 * float(weight[own] @ smape(ff, wanted["ff"])[own]) / float(weight[own].sum()), price


def search(chosen: Sequence[Sample], tries: int, seed: int = 0) -> tuple[dict[str, float], dict[str, float]]:
    """Delays from points drawn at random: the data are steps, so the best one is luck; the middle of the best transfers."""
    draw = np.random.default_rng(seed)
    low, high = (np.array([bounds[i] for bounds in DELAYS.values()]) for i in (0, 1))
    points = low + (high - low) * draw.random((tries, len(low)))
    losses = [delay_loss(chosen, named(point))[0] for point in points]
    best = named(np.median(points[np.argsort(losses)[: max(round(tries * BEST), 1)]], axis=0))
    return best, delay_loss(chosen, best)[1]


def named(point: np.ndarray) -> dict[str, float]:
    """A point of the search as delays."""
    return dict(zip(DELAYS, (round(float(value), 3) for value in point), strict=True))


def fit_prices(chosen: Sequence[Sample], tries: int) -> dict[str, dict[str, float]]:
    """All prices and delays of unrolled product sums."""
    tree = [s for s in chosen if s.layer.product.regime in ("unrolled", "unrolled_resource")]
    tree = [s for s in tree if not unlike(s.layer.product, s.layer.tool)]
    folded = [s for s in tree if s.layer.product.regime == "unrolled"]
    rows = [lut_terms(s.layer.product, s.layer.tool) for s in folded]
    lut = prices(rows, np.array([s.found["lut"] for s in folded]), weights(folded), towards=PHYSICS)
    delays, ff = search(tree, tries)
    return {"lut": lut, "ff": ff, "delays": delays, "held": held_prices(chosen)}


def held_prices(chosen: Sequence[Sample]) -> dict[str, float]:
    """Flip-flops per DSP block and per other term where the resource strategy has a reuse factor of 1."""
    some = [s for s in chosen if s.layer.product.regime == "unrolled_resource"]
    if not some:
        return {"block": 9.0, "term": 1.3}
    rows, wanted = [], []
    for s in some:
        p, limit = s.layer.product, s.layer.tool.fabric_bits(s.layer.product.input_bits)
        blocks = p.constants.wider(limit)
        rows.append({"block": blocks, "term": max(p.constants.terms - blocks, 0) * (p.constants.pairs > 0)})
        wanted.append(max(s.found["ff"] - p.n_out * p.accumulator_bits, 0))
    return prices(rows, np.array(wanted), weights(some))
