"""The values that a knob may take, and the rule that each knob's values keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dse.design import ARCHITECTURE, IO_TYPES, STRATEGIES, TERNARY, Scalar, canonical
from dse.errors import UsageError
from dse.network import ROUNDING, SATURATION


@dataclass(frozen=True, slots=True)
class Domain:
    """The values that one knob may take, in order; numbers are ordered for the sampler, text is not (TERNARY is a width)."""

    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        for value in self.values:
            if not isinstance(value, (bool, int, float, str)) or (isinstance(value, float) and not math.isfinite(value)):
                raise UsageError(f"a knob's values must be finite numbers, text, True or False; got {value!r}.")
        if {isinstance(value, bool) for value in self.values if not isinstance(value, str)} == {True, False}:
            raise UsageError(f"a knob must not mix numbers with True and False, which equal 1 and 0; got {self.values}.")
        found = tuple(dict.fromkeys(canonical(value) for value in self.values))
        if not found:
            raise UsageError("a knob needs at least one value, got none.")
        object.__setattr__(self, "values", found)

    @property
    def ordered(self) -> bool:
        """True for numbers and TERNARY."""
        numbers = [value for value in self.values if value != TERNARY]
        return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in numbers)


@dataclass(frozen=True, slots=True)
class EachLayer:
    """The same domain for every layer that has the knob, chosen for each layer by itself."""

    domain: Domain | ReuseFactors


@dataclass(frozen=True, slots=True)
class ReuseFactors:
    """All reuse factors up to `at_most` that hls4ml builds as asked: those common to all layers, or each layer's own."""

    at_most: int = 64


@dataclass(frozen=True, slots=True)
class Profiled:
    """Integer bits around those that hold a layer's weights, or what the training rows give; each layer has its own.

    `Profiled(-1, 1)` goes from one less to one more.
    """

    least: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        _rising("Profiled", self.least, self.most, 1)

    def around(self, integer: int) -> Domain:
        """The domain of a layer whose values need this many integer bits."""
        return Domain(tuple(range(integer + self.least, integer + self.most + 1)))


def Integers(low: int, high: int, step: int = 1) -> Domain:  # noqa: N802 - reads as a value in a study
    """Whole numbers from low to high, both included; UsageError where there is none or the step is not above 0."""
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in (low, high, step)):
        raise UsageError(f"Integers must have whole numbers, got ({low!r}, {high!r}, step={step!r}); Steps takes others.")
    _rising("Integers", low, high, step)
    return Domain(tuple(range(low, high + 1, step)))


def Steps(low: float, high: float, step: float) -> Domain:  # noqa: N802
    """Numbers from low to high in steps, both included where the steps meet high; UsageError like `Integers`."""
    _rising("Steps", low, high, step)
    # sums go wrong by parts of the largest number among them: near 0 that is more than the 12 digits of a single value
    places = 12 - math.ceil(math.log10(max(abs(low), abs(high), step)))
    count = math.floor((high - low) / step + 1e-9) + 1
    return Domain(tuple(round(float(low + i * step), places) for i in range(count)))


def _rising(name: str, low: float, high: float, step: float) -> None:
    if not (step > 0 and -math.inf < low <= high < math.inf):
        raise UsageError(f"{name} must go from low to high in steps above 0, got ({low!r}, {high!r}, step={step!r}).")


def Choice(*values: Scalar) -> Domain:  # noqa: N802
    """One of these values."""
    return Domain(values)


#: What each knob's values must satisfy, in words.
RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "weight_bits": (
        f"a whole number from 2 to 32 (1-bit weights: hls4ml's emulation of them is wrong) or {TERNARY!r}",
        lambda v: 2 <= v <= 32,
    ),
    "activation_bits": ("a whole number from 2 to 32", lambda v: 2 <= v <= 32),
    "input_bits": ("a whole number from 2 to 32", lambda v: 2 <= v <= 32),
    **dict.fromkeys(("weight_width", "result_width", "input_width"), ("a whole number from 2 to 32", lambda v: 2 <= v <= 32)),
    **dict.fromkeys(
        ("weight_integer", "result_integer", "input_integer"), ("a whole number from -32 to 32", lambda v: -32 <= v <= 32)
    ),
    "rounding": (f"one of {', '.join(ROUNDING)}", lambda v: v in ROUNDING),
    "saturation": (f"one of {', '.join(SATURATION)}", lambda v: v in SATURATION),
    "sparsity": ("a number from 0 up to but not 1", lambda v: 0 <= v < 1),
    "learning_rate": ("a number above 0", lambda v: 0 < v < math.inf),
    "reuse_factor": ("a whole number from 1", lambda v: v >= 1),
    "parallelization_factor": ("a whole number from 1", lambda v: v >= 1),
    "fifo_depth": ("a whole number from 1 to 1000000", lambda v: 1 <= v <= 10**6),
    "clock_ns": ("a number of nanoseconds above 0", lambda v: v > 0),
    "strategy": (f"one of {', '.join(STRATEGIES)}", lambda v: v in STRATEGIES),
    "io_type": (f"one of {', '.join(IO_TYPES)}", lambda v: v in IO_TYPES),
}
_TEXT = ("strategy", "io_type", "rounding", "saturation")
_REAL = ("sparsity", "learning_rate", "clock_ns")


def check(name: str, domain: Domain) -> None:
    """UsageError where a value breaks its knob's rule, in words."""
    knob = name.partition(".")[0]
    if knob == ARCHITECTURE:
        return
    words, holds = RULES[knob]
    for value in domain.values:
        if (knob, value) == ("weight_bits", TERNARY):
            continue
        kind: Any = str if knob in _TEXT else (int, float) if knob in _REAL else int
        if isinstance(value, bool) or not isinstance(value, kind) or not holds(value):
            raise UsageError(f"{name} must be {words}, got {value!r}.")
