"""Open synthesis of a 16-64-32-32-5 network, 6 bits with 75 % zeros and 16 bits dense, as one JSON line.

    python bench/open_synthesis.py [--only 6|16]

Seconds are from `Network` to figures: adder graph, proof on provoking rows, Verilog, and Yosys on two cores. `exact` compares
the adder graph with the float64 reference of the same network. Memory is the largest process' peak.
"""

import argparse
import json
import resource
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from dse import proof
from dse.network import FixedType, Layer, Network
from dse.nn.reference import reference
from dse.synth.open import Adders, Open, evaluated, logic_of

SIZES = (16, 64, 32, 32, 5)
ENTERING = FixedType(16, 6)


def network(bits, sparsity, seed=0):
    """Random weights, the smallest of them zero; ReLUs of the same width, accumulators that hold every sum."""
    rng, weight = np.random.default_rng(seed), FixedType(bits, 1 if bits < 10 else 3)
    relu = FixedType(bits, 0 if bits < 10 else 6, False, "RND_CONV", "SAT")
    layers, weights, before, kind = [Layer("x", "input", (), (SIZES[0],), (SIZES[0],), ENTERING)], {}, "x", ENTERING
    for number, (n_in, n_out) in enumerate(pairwise(SIZES)):
        name, wide = f"fc{number + 1}", FixedType(kind.width + bits + 8, kind.integer + weight.integer + 8)
        sizes = {"n_in": n_in, "n_out": n_out}
        types = (wide, weight, weight, wide)
        layers.append(Layer(name, "dense", (before,), (n_in,), (n_out,), *types, "latency", 1, sizes))
        kernel = rng.normal(size=(n_in, n_out))
        kernel = np.where(np.abs(kernel) > np.quantile(np.abs(kernel), sparsity), kernel, 0) if sparsity else kernel
        for part, values, scale in (("weight", kernel, 0.5), ("bias", rng.normal(size=n_out), 0.2)):
            steps = np.clip(np.rint(values * scale / weight.step), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
            weights[f"{name}/{part}"] = steps * weight.step
        before, kind = name, wide
        if number < len(SIZES) - 2:
            layers.append(Layer(f"{name}_relu", "relu", (name,), (n_out,), (n_out,), relu))
            before, kind = f"{name}_relu", relu
    return Network(tuple(layers), (before,), "io_parallel", "xcu250-figd2104-2L-e", 5.0, "Vitis", "1.3.0", weights)


def cpu_s():
    """Seconds of this process and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(row.ru_utime + row.ru_stime for row in used)


def measure(bits, sparsity):
    """One network from `Network` to figures."""
    net = network(bits, sparsity)
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
    parser.add_argument("--only", choices=("6", "16"), help="one of the two networks")
    only = parser.parse_args().only
    cases = {"6": ("6-bit, 75 % zeros", 6, 0.75), "16": ("16-bit, dense", 16, 0.0)}
    print(json.dumps({name: measure(bits, sparsity) for key, (name, bits, sparsity) in cases.items() if only in (None, key)}))


if __name__ == "__main__":
    main()
