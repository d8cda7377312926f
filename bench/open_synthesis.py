"""Open synthesis of a 16-64-32-32-5 network, 6 bits with 75 % zeros and 16 bits dense, as one JSON line.

    python bench/open_synthesis.py [--only 6|16|wide]

- 6-bit, 75 % zeros: weights of quantized_bits(6, 0), ReLUs of 6 bits; normal weights that fill their type.
- 16-bit, dense: everything ap_fixed<16, 6> as hls4ml's tutorial converts an unpruned jet MLP; weights of the size of Glorot's
  initialisation, which training keeps: about 8 of their 10 fraction bits are in use.
- 16-bit, dense, wide: the same with 13 fraction bits, all of which are in use: more than half as many adders again.

Inputs are ap_fixed<16, 6>, accumulators hold every sum. Seconds are from `Network` to figures: adder graph, proof on provoking
rows, Verilog, and Yosys on two cores. `exact` compares the adder graph with the float64 reference of the same network. Memory
is the largest process' peak.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from dse import proof
from dse.fixed import quantise
from dse.network import FixedType, Layer, Network
from dse.nn.reference import reference
from dse.synth.open import Adders, Open, evaluated, logic_of

SIZES = (16, 64, 32, 32, 5)
ENTERING = FixedType(16, 6)


@dataclass(frozen=True)
class Case:
    """Types and weights: `spread(rng, n_in, n_out)` draws them, `sparsity` is the share that is zero."""

    weight: FixedType
    relu: FixedType
    spread: Callable[[np.random.Generator, int, int], np.ndarray]
    sparsity: float = 0.0


def normal(rng, n_in, n_out):
    """Weights that fill a type of one integer bit."""
    return rng.normal(size=(n_in, n_out)) * 0.5


def glorot(rng, n_in, n_out):
    """Weights as Keras initialises them, and about as large after training."""
    return rng.uniform(-1, 1, (n_in, n_out)) * np.sqrt(6 / (n_in + n_out))


CASES = {
    "6": ("6-bit, 75 % zeros", Case(FixedType(6, 1), FixedType(6, 0, False, "RND_CONV", "SAT"), normal, 0.75)),
    "16": ("16-bit, dense", Case(FixedType(16, 6), FixedType(16, 6), glorot)),
    "wide": ("16-bit, dense, wide", Case(FixedType(16, 3), FixedType(16, 6, False, "RND_CONV", "SAT"), normal)),
}


def network(case, seed=0):
    """Random weights, the smallest of them zero; accumulators that hold every sum."""
    rng, weight = np.random.default_rng(seed), case.weight
    layers, weights, before, kind = [Layer("x", "input", (), (SIZES[0],), (SIZES[0],), ENTERING)], {}, "x", ENTERING
    for number, (n_in, n_out) in enumerate(pairwise(SIZES)):
        name, wide = f"fc{number + 1}", FixedType(kind.width + weight.width + 8, kind.integer + weight.integer + 8)
        sizes = {"n_in": n_in, "n_out": n_out}
        types = (wide, weight, weight, wide)
        layers.append(Layer(name, "dense", (before,), (n_in,), (n_out,), *types, "latency", 1, sizes))
        kernel = case.spread(rng, n_in, n_out)
        if case.sparsity:
            kernel = np.where(np.abs(kernel) > np.quantile(np.abs(kernel), case.sparsity), kernel, 0)
        nearest = replace(weight, rounding="RND_CONV", saturation="SAT")
        weights[f"{name}/weight"] = quantise(kernel, nearest)
        weights[f"{name}/bias"] = quantise(rng.normal(size=n_out) * 0.2, nearest)
        before, kind = name, wide
        if number < len(SIZES) - 2:
            layers.append(Layer(f"{name}_relu", "relu", (name,), (n_out,), (n_out,), case.relu))
            before, kind = f"{name}_relu", case.relu
    return Network(tuple(layers), (before,), "io_parallel", "xcu250-figd2104-2L-e", 5.0, "Vitis", "1.3.0", weights)


def cpu_s():
    """Seconds of this process and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(row.ru_utime + row.ru_stime for row in used)


def measure(case):
    """One network from `Network` to figures."""
    net = network(case)
    with tempfile.TemporaryDirectory(prefix="dse-bench-") as scratch:
        folder = Path(scratch)
        begun, used = time.monotonic(), cpu_s()
        (folder / "adders").mkdir()
        estimate = Adders().synthesize(net, folder, folder / "adders")
        adders_s = time.monotonic() - begun
        found = Open().refine(net, folder / "adders", folder)
        spent = {"seconds": time.monotonic() - begun, "cpu_seconds": cpu_s() - used, "adders_seconds": adders_s}
        x = proof.provoking(net)
        exact = bool(np.array_equal(evaluated(net, logic_of(folder / "adders"), x), reference(net, x)))
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    figures = {name: found.values[name] for name in ("lut", "ff", "carry", "stages")}
    rounded = {name: round(value, 2) for name, value in spent.items()}
    return {**rounded, "memory_mb": peak // 1000, **figures, "lut_estimated": estimate.values["lut"], "exact": exact}


def main():
    """Print the line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CASES, help="one of the networks")
    only = parser.parse_args().only
    print(json.dumps({name: measure(case) for key, (name, case) in CASES.items() if only in (None, key)}))


if __name__ == "__main__":
    main()
