"""Will the tool synthesise this at all? What became of 1,974 attempts at one dense layer (Vivado HLS 2020.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dse.network import Network
from dse.synth.estimate.fit import Fit


@dataclass(frozen=True, slots=True)
class Feasibility:
    """How many attempts like the network's hardest layer ended well; `low` and `high` bound the share (95 %, Wilson 1927)."""

    layer: str
    synthesised: int
    attempts: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share of attempts that ended well."""
        return self.synthesised / self.attempts


def feasibility(network: Network, fit: Fit) -> Feasibility | None:
    """The layer least likely to synthesise; None where no layer is like any attempt.

    Attempts are told apart by strategy (weights folded into logic, or in memory) and by number of multiplications.
    """
    found = [
        _layer(layer.name, _kind(layer.strategy, layer.reuse_factor), layer.n_in * layer.n_out, fit)
        for layer in network.multipliers
    ]
    known = [row for row in found if row is not None]
    return min(known, key=lambda row: row.share) if known else None


def _kind(strategy: str, reuse_factor: int | None) -> str:
    if strategy == "latency":
        return "unrolled"
    return "unrolled_resource" if reuse_factor == 1 else "memory"


def _layer(name: str, kind: str, multiplications: int, fit: Fit) -> Feasibility | None:
    for row in fit.outcomes:
        if row["kind"] == kind and row["above"] < multiplications <= row["to"]:
            good, tried = int(row["synthesised"]), int(row["attempts"])
            return Feasibility(name, good, tried, *_wilson(good, tried))
    return None


def _wilson(good: int, tried: int) -> tuple[float, float]:
    z = 1.96
    share, spread = good / tried, z * z / tried
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / tried + spread / (4 * tried))
    return max(middle - half, 0.0), min(middle + half, 1.0)
