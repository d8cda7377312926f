"""Casts of symbolic fixed-point variables: what `ap_fixed` does, as adders, multiplexers and wires.

TRN, RND and RND_CONV with WRAP, SAT and SAT_SYM are alkaid's own; the other modes are composed of its operations here. A
test compares all of them with the compiled C++ types.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dse.fixed import quantise
from dse.network import FixedType

#: Rounding modes that alkaid builds by itself; the overflow modes that it builds, and SAT_ZERO, which is built here.
ROUNDED = ("TRN", "RND", "RND_CONV")
SATURATION = ("WRAP", "SAT", "SAT_SYM", "SAT_ZERO")
#: alkaid holds constants as float32: those of more bits would lose their last ones.
CONSTANT_BITS = 24


def cast(x: Any, to: FixedType) -> Any:
    """An array of variables (alkaid's FVArray) cast to a fixed-point type, element by element."""
    from alkaid.trace import FVArray

    raw = np.asarray(x)
    if to.saturation == "SAT_SYM" and to.width == 1:
        to = replace(to, saturation="SAT")
    out = np.empty(raw.size, dtype=object)
    out[:] = [_cast(variable, to) for variable in raw.ravel()]
    return FVArray(out.reshape(raw.shape), x.solver_options, hwconf=x.hwconf)


def _cast(x: Any, to: FixedType) -> Any:
    if x.low == x.high:
        return x.from_const(float(quantise(np.array(x.low), to)), x.hwconf)
    rounding = to.rounding if to.fraction < x.kif[2] else "TRN"
    if rounding not in ROUNDED:
        x, rounding = _rounded(x, to.fraction, rounding), "TRN"
    composed = to.saturation == "SAT_ZERO" or (to.saturation != "WRAP" and to.width > CONSTANT_BITS)
    if composed:
        x, rounding = _on_grid(x, to.fraction, rounding), "TRN"
    if x.low == x.high:
        return x.from_const(float(quantise(np.array(x.low), to)), x.hwconf)
    if composed and not (to.low < x.low and x.high <= to.high):
        return _saturated(x, to)
    return x.quantize(to.signed, to.integer - to.signed, to.fraction, "WRAP" if composed else to.saturation, rounding)


def _on_grid(x: Any, fraction: int, rounding: str = "TRN") -> Any:
    """Rounded, with room for every value: nothing overflows."""
    keep, integer, finest = x.kif
    return x if fraction >= finest else x.quantize(keep, integer + 1, fraction, "WRAP", rounding)


def _rounded(x: Any, fraction: int, mode: str) -> Any:
    """The modes that look at the sign or break ties downwards: cut, and one step more where the cut bits ask for it."""
    finest, negative = x.kif[2], x.is_negative()
    half = x.quantize(0, -fraction, fraction + 1, "WRAP", "TRN") * 2.0 ** (fraction + 1)
    rest = _any(x.quantize(0, -fraction - 1, finest, "WRAP", "TRN"))
    match mode:
        case "TRN_ZERO":
            carry = (half | rest) & negative
        case "RND_MIN_INF":
            carry = half & rest
        case "RND_ZERO":
            carry = half & (rest | negative)
        case "RND_INF":
            carry = half & (rest | _not(negative))
        case _:
            raise ValueError(f"rounding mode {mode} is not known.")
    return _on_grid(x, fraction) + carry * 2.0**-fraction


def _any(x: Any) -> Any:
    """1 where any bit is set."""
    return x if x.low == x.high else x.unary_bit_op("any")


def _saturated(x: Any, to: FixedType) -> Any:
    """Rounded values outside the type's range become its bounds or 0, by comparisons with powers of two alone."""
    integer = to.integer - to.signed
    wrapped = x.quantize(to.signed, integer, to.fraction, "WRAP", "TRN")
    symmetric = to.signed and to.saturation == "SAT_SYM"
    below = _not((x * -1.0 + to.low).is_negative()) if symmetric else (x - to.low).is_negative()
    above = _not((x - (to.high + to.step)).is_negative())
    beyond = below | above
    if to.saturation == "SAT_ZERO":
        return beyond.msb_mux(0.0, wrapped)
    ones = (above * -to.step).quantize(0, integer, to.fraction, "WRAP", "TRN")
    lowest = (below * to.low) | (below * to.step) if symmetric else below * to.low
    return beyond.msb_mux(ones + lowest, wrapped)


def _not(bit: Any) -> Any:
    return bit * -1.0 + 1.0
