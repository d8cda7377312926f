"""Fixed-point arithmetic in float64: casts to `ap_fixed` types, and the choice of integer bits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.network import ROUNDING, FixedType

#: Integer bits that are tried for a quantiser; QKeras takes none below 0.
INTEGER_BITS = range(9)
#: How many integer bits fewer than hold all values are tried for a type that saturates.
CUT_BITS = 4


@dataclass(frozen=True, slots=True)
class Quantizer:
    """QKeras' `quantized_bits(bits, integer, alpha=1)` where signed, else `quantized_relu(bits, integer)`.

    `integer` leaves the sign out, as QKeras counts it; hls4ml's `ap_fixed` counts it in. `ternary`: QKeras' `ternary(alpha=1)`,
    which is TERNARY_WEIGHTS.
    """

    bits: int
    integer: int
    signed: bool = True
    ternary: bool = False

    @property
    def type(self) -> FixedType:
        """The hardware type that holds the same values; activations round half to even and saturate."""
        return FixedType(self.bits, self.integer + self.signed, self.signed, "RND_CONV", "SAT")

    def values(self, x: np.ndarray) -> np.ndarray:
        """What QKeras' forward pass makes of float32 values, as float64."""
        x = np.asarray(x, dtype=np.float64)
        return np.where(np.abs(x) >= TERNARY_FROM, np.sign(x), 0.0) if self.ternary else quantise(x, self.type)


#: Weights of -1, 0 and 1, in a type of two bits.
TERNARY_WEIGHTS = Quantizer(2, 1, ternary=True)
#: Weights of at least this size are -1 or 1: the default of QKeras, in its float32.
TERNARY_FROM = float(np.float32(0.33))


def quantise(x: np.ndarray, to: FixedType) -> np.ndarray:
    """Cast float64 values to a fixed-point type as `ap_fixed` does; exact while |x| / step < 2**53 and no subnormal.

    Rounding and overflow modes as in AMD UG1399, "Arbitrary Precision Fixed-Point Data Types"; ValueError for WRAP_SM and
    for names that are no modes.
    """
    steps = _round(np.asarray(x, dtype=np.float64) / to.step, to.rounding)
    return np.asarray(_overflow(steps, to) * to.step)


def _round(steps: np.ndarray, mode: str) -> Any:
    match mode:
        case "TRN":
            return np.floor(steps)
        case "TRN_ZERO":
            return np.trunc(steps)
        case "RND_CONV":
            return np.rint(steps)
    outwards = {"RND": steps > 0, "RND_ZERO": False, "RND_MIN_INF": steps < 0, "RND_INF": True}
    if mode not in outwards:
        raise ValueError(f"rounding mode {mode} is not known; use {', '.join(ROUNDING)}.")
    inner = np.trunc(steps)
    rest = np.abs(steps - inner)  # exact; the distance to the floor is not, just above -1/2
    return np.where((rest > 0.5) | ((rest == 0.5) & outwards[mode]), inner + np.sign(steps), inner)


def _overflow(steps: np.ndarray, to: FixedType) -> Any:
    low, high = to.low / to.step, to.high / to.step
    match to.saturation:
        case "SAT":
            return np.clip(steps, low, high)
        case "SAT_SYM":
            # the compiled types keep the lowest value of a signed type of one bit, which would have no other below 0
            return np.clip(steps, -high if to.signed and to.width > 1 else low, high)
        case "SAT_ZERO":
            return np.where((steps < low) | (steps > high), 0.0, steps)
        case "WRAP":
            if low <= steps.min(initial=low) and steps.max(initial=high) <= high:
                return steps  # as nearly always; finding remainders takes ten times as long
            return np.mod(steps - low, 2.0**to.width) + low
    raise ValueError(f"overflow mode {to.saturation} is not supported; use WRAP, SAT, SAT_ZERO or SAT_SYM.")


def fit_quantizer(values: np.ndarray, bits: int, *, signed: bool) -> Quantizer:
    """The quantiser of this width whose integer bits make the smallest mean squared error over `values`.

    Ties go to fewer integer bits (finer steps). At least one fraction bit is kept: without any, hls4ml drops the rounding.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    choices = [Quantizer(bits, integer, signed) for integer in INTEGER_BITS if integer < max(bits - signed, 1)]
    errors = [float(np.mean((quantise(values, choice.type) - values) ** 2)) for choice in choices]
    return choices[int(np.argmin(errors))]


def integer_bits(values: np.ndarray, width: int, *, covering: bool) -> int:
    """Integer bits (the sign's among them) of the signed type of this width for `values`.

    `covering`: as few as hold all values without overflow. Else those with the smallest mean squared error after rounding to
    the nearest value and saturation, which may cut off rare large values for finer steps. 1 where all values are 0.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    low, high = float(min(values.min(), 0.0)), float(max(values.max(), 0.0))
    if low == high:
        return 1
    first = math.frexp(max(-low, high))[1] - 1
    holding = next(n for n in range(first, first + 4) if FixedType(width, n).low <= low and high <= FixedType(width, n).high)
    if covering:
        return holding
    choices = range(holding - CUT_BITS, holding + 1)
    types = [FixedType(width, n, rounding="RND_CONV", saturation="SAT") for n in choices]
    errors = [float(np.mean((quantise(values, kind) - values) ** 2)) for kind in types]
    return choices[int(np.argmin(errors))]
