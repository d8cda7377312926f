"""Rows that a generated design is held against: those that it was scored on, and rows that drive it out of its ranges."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dse.network import Network
from dse.nn import emulate
from dse.synth.vectors import Vectors

#: Random rows beside the scored ones.
ROWS = 1000
LOG = "emulation.log"


def provoking(network: Network, rows: int = ROWS, seed: int = 0) -> np.ndarray:
    """Random inputs (rows, n_in), float32 numbers, that provoke overflow and saturation; the same for the same network.

    A quarter each: anything in the input type's range; far beyond it; each element at an end of the range; and ends chosen by
    the signs of one output's weights in the first layer, which drives that sum as far as it can go.
    """
    generator = np.random.default_rng(seed)
    entry = next(layer for layer in network.layers if layer.kind == "input")
    low, high = entry.result_type.low, entry.result_type.high
    size, part = int(np.prod(entry.output_shape)), -(-rows // 4)
    ends = np.where(generator.random((part, size)) < 0.5, low, high)
    aimed = np.where(_signs(network, part, size, generator), high, low)
    inside = generator.uniform(low, high, (part, size))
    beyond = generator.uniform(-8, 8, (part, size)) * max(abs(low), abs(high))
    found = np.concatenate([inside, beyond, ends, aimed])[:rows]
    return found.astype(np.float32).astype(np.float64)


def _signs(network: Network, rows: int, size: int, generator: np.random.Generator) -> np.ndarray:
    """Which inputs (rows, size) must be large: the weights of one output of the first layer with weights, over and over."""
    weights = network.weights[f"{network.multipliers[0].name}/weight"]
    columns = weights.reshape(-1, weights.shape[-1])
    chosen = columns[:, generator.integers(columns.shape[1], size=rows)].T * generator.choice([-1, 1], (rows, 1))
    repeats = -(-size // chosen.shape[1])
    return np.asarray(np.tile(chosen, (1, repeats))[:, :size] > 0)


def vectors(network: Network, project: Path, libraries: Path, known: Vectors, log: Path) -> Vectors:
    """Rows that were scored, with their outputs, and provoking rows with what the project's compiled emulation makes of them.

    The library is taken from `libraries` where the same sources were compiled before; otherwise it takes seconds to a minute.
    """
    library = emulate.build(project, libraries, log)
    wild = provoking(network)
    outputs = emulate.predict(library, network, project, wild)
    return Vectors(np.concatenate([known.inputs, wild]), np.concatenate([known.outputs, outputs]))
