"""Rows that a design is held against: inputs and what the emulation makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Vectors:
    """Inputs (rows, n_in) and the emulation's outputs (rows, n_out): what every other computation of a design must repeat.

    Inputs must be float32 numbers, since the generated test bench reads them as such; ValueError otherwise.
    """

    inputs: np.ndarray
    outputs: np.ndarray

    def __post_init__(self) -> None:
        if self.inputs.ndim != 2 or self.outputs.ndim != 2 or len(self.inputs) != len(self.outputs) or not len(self.inputs):
            raise ValueError(f"vectors must be two tables of equal length, got {self.inputs.shape} and {self.outputs.shape}.")
        if not np.array_equal(self.inputs, self.inputs.astype(np.float32)):
            raise ValueError("inputs of a test bench must be float32 numbers: emulate the rows as float32 first.")

    def first(self, rows: int) -> Vectors:
        """The first of them."""
        return self if len(self.inputs) <= rows else Vectors(self.inputs[:rows], self.outputs[:rows])

    def write(self, folder: Path) -> None:
        """Write the two files that the generated test bench reads."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in (("tb_input_features.dat", self.inputs), ("tb_output_predictions.dat", self.outputs)):
            np.savetxt(folder / name, rows, fmt="%.9g")
