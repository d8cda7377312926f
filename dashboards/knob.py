"""A knob's value for each of many designs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.design import TERNARY, Scalar

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Knob:
    """A knob's value for each design: `values[codes]`, -1 where a design does not set it."""

    codes: Ints
    values: tuple[Scalar, ...]

    def of(self, row: int) -> Scalar | None:
        """The value for one design, or None."""
        code = int(self.codes[row])
        return None if code < 0 else self.values[code]

    @property
    def numbers(self) -> Floats | None:
        """The values as numbers, NaN where a design does not set it; None where some value is no number."""
        if any(isinstance(value, (bool, str)) for value in self.values):
            return None
        known = np.array([*self.values, math.nan], dtype=np.float64)
        return known[self.codes]


def merged(knob: Knob) -> Knob:
    """The same knob with each value once."""
    # 1, 1.0 and True are equal and not the same
    kinds = [(type(value), value) for value in knob.values]
    places = {kind: code for code, kind in enumerate(dict.fromkeys(kinds))}
    table = np.array([*(places[kind] for kind in kinds), -1], dtype=np.int64)
    return Knob(table[knob.codes], tuple(value for _, value in places))


def order(value: Scalar) -> tuple[int, float, str]:
    """Sorts values of a knob: numbers by size, then words; TERNARY is narrower than any number."""
    if value == TERNARY:
        return (-1, 0.0, "")
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return (0, float(value), "") if number else (1, 0.0, str(value))


def ranked(knob: Knob) -> tuple[Ints, list[Scalar]]:
    """Codes and values in their order; -1 stays -1."""
    once = merged(knob)
    used = sorted(set(once.codes.tolist()) - {-1}, key=lambda code: order(once.values[code]))
    places = np.full(len(once.values) + 1, -1, dtype=np.int64)
    for place, code in enumerate(used):
        places[code] = place
    return places[once.codes], [once.values[code] for code in used]
