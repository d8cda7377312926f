"""The fitted numbers that ship with the estimate: prices, delays, widths of intervals and where they hold.

`fit.json` is written by `tools/fit_estimate.py`, which names its data; nobody edits it by hand.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from dse.errors import StoreError

Prices = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """A box of the calibration data: inside it the interval has been tested on shapes that the fit had not seen."""

    name: str
    regime: str
    family: str
    vitis: bool
    bounds: Mapping[str, tuple[float, float]]
    scores: Mapping[str, float]

    def holds(self, regime: str, family: str, vitis: bool, values: Mapping[str, float]) -> bool:
        """Whether a layer lies inside: same regime, family and tool, and every bounded value within its bounds."""
        return (
            (self.regime, self.family, self.vitis) == (regime, family, vitis)
            and all(low <= values[name] <= high for name, (low, high) in self.bounds.items())
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Everything in `fit.json` that an estimate needs; `version` is part of every judge.

    `scores` are half-widths of intervals by grade "law" and regime ("network" for whole networks): 90 % of what held-out
    sources miss by, as |ln((found + offset) / (estimated + offset))|.
    """

    version: str
    prices: Prices
    offsets: Mapping[str, float]
    domains: tuple[Domain, ...]
    scores: Mapping[str, Mapping[str, float]]
    ratios: Mapping[str, Mapping[str, tuple[float, float]]]
    outcomes: tuple[Mapping[str, Any], ...]

    def interval(self, figure: str, value: float, score: float) -> tuple[float, float]:
        """Lower and upper bound around `value`, whole as the figures are; an initiation interval is at least 1, all else 0."""
        offset = self.offsets[figure]
        low, high = ((value + offset) * math.exp(sign * score) - offset for sign in (-1, 1))
        # far within rounding errors of a whole number is that number
        whole = math.floor(low + 1e-6), math.ceil(high - 1e-6)
        return max(float(whole[0]), 1.0 if figure == "interval_cycles" else 0.0), float(whole[1])


@cache
def shipped() -> Fit:
    """The fit in the package; StoreError where the file is damaged."""
    text = (files("dse.synth.estimate") / "fit.json").read_text()
    try:
        return read(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"dse/synth/estimate/fit.json: {error!r}. Install dse again.") from error


def read(found: Mapping[str, Any]) -> Fit:
    """A fit from its JSON form; KeyError, TypeError or ValueError where something is missing."""
    domains = tuple(
        Domain(
            name=row["name"],
            regime=row["regime"],
            family=row["family"],
            vitis=row["vitis"],
            bounds={name: (pair[0], pair[1]) for name, pair in row["bounds"].items()},
            scores=row["scores"],
        )
        for row in found["domains"]
    )
    ratios = {
        stage: {name: (float(pair[0]), float(pair[1])) for name, pair in rows.items()}
        for stage, rows in found["ratios"].items()
    }
    return Fit(
        version=found["version"],
        prices=MappingProxyType(found["prices"]),
        offsets=MappingProxyType(found["offsets"]),
        domains=domains,
        scores=MappingProxyType(found["scores"]),
        ratios=MappingProxyType(ratios),
        outcomes=tuple(found["outcomes"]),
    )
