"""How long an estimate takes: one JSON line.

    python bench/speed.py

A jet classifier of four layers (16-64-32-32-5, 6-bit weights), as a sweep meets it: every design with weights of its own, and
the same network again and again.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from dse.network import FixedType, Layer, Network
from dse.synth.estimate import Estimate

WIDE, WEIGHT = FixedType(16, 6), FixedType(6, 1)
ACTIVE = FixedType(6, 0, False, "RND_CONV", "SAT")
SIZES = (16, 64, 32, 32, 5)
DESIGNS = 1000


def network(seed: int) -> Network:
    """One design: seeded weights, a reuse factor and a strategy by turns."""
    draw = np.random.default_rng(seed)
    layers, weights, before = [Layer("x", "input", (), SIZES[:1], SIZES[:1], WIDE)], {}, "x"
    strategy, reuse = ("latency", 1) if seed % 2 else ("resource", 16)
    for i, (n_in, n_out) in enumerate(pairwise(SIZES)):
        sizes = {"n_in": n_in, "n_out": n_out}
        types = (WIDE, WEIGHT, WEIGHT, WIDE)
        layers.append(Layer(f"fc{i}", "dense", (before,), (n_in,), (n_out,), *types, strategy, reuse, sizes))
        layers.append(Layer(f"relu{i}", "relu", (f"fc{i}",), (n_out,), (n_out,), ACTIVE))
        weights[f"fc{i}/weight"] = np.rint(draw.normal(size=(n_in, n_out)) * 8).clip(-32, 31) / 32
        weights[f"fc{i}/bias"] = np.rint(draw.normal(size=n_out) * 8).clip(-32, 31) / 32
        before = f"relu{i}"
    return Network(tuple(layers), (before,), "io_parallel", "xcu250-figd2104-2L-e", 5.0, "Vitis", "1.3.0", weights)


def main() -> None:
    """Time a batch of different designs, and one design again and again."""
    designs = [network(seed) for seed in range(DESIGNS)]
    estimate = Estimate()
    estimate.estimate(designs[0])
    start = time.perf_counter()
    for design in designs:
        estimate.estimate(design)
    batch = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(DESIGNS):
        estimate.estimate(designs[1])
    warm = time.perf_counter() - start
    print(json.dumps({"designs_per_s": round(DESIGNS / batch), "warm_ms": round(1000 * warm / DESIGNS, 3)}))


if __name__ == "__main__":
    main()
