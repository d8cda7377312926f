"""QKeras' quantisers with their widths as tensors: one program then serves members of all widths.

The formulas, the order of their operations and so the rounding of every float32 are those of QKeras' `quantized_bits(bits,
integer, alpha=1)`, `ternary(alpha=1)` and `quantized_relu(bits, integer)`; gradients go straight through as they do there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dse.fixed import TERNARY_FROM, Quantizer


class Grid(NamedTuple):
    """What one tensor is rounded to, per member (members,): how many values there are on a side, their range, or -1, 0, 1."""

    levels: Any
    range: Any
    ternary: Any


def grid(quantizers: Sequence[Quantizer]) -> Grid:
    """The members' quantisers of one tensor as arrays (members,); powers of two in float32, so nothing is rounded."""
    levels = [2.0 ** (one.bits - one.signed) for one in quantizers]
    ranges = [1.0 if one.ternary else 2.0**one.integer for one in quantizers]
    return Grid(np.asarray(levels, np.float32), np.asarray(ranges, np.float32), np.array([one.ternary for one in quantizers]))


def signed(x: Any, to: Grid) -> Any:
    """`x` (members, ...) through `quantized_bits`; the gradient is 1 everywhere, saturated or not."""
    return _through(x, _signed(x, to))


def weights(x: Any, to: Grid) -> Any:
    """`x` (members, ...) through `quantized_bits` or, of members that have it, `ternary`; the gradient is 1 everywhere."""
    import tensorflow as tf

    signs = tf.cast(tf.abs(x) >= TERNARY_FROM, tf.float32) * tf.sign(x)
    return _through(x, tf.where(_beside(x, to.ternary), signs, _signed(x, to)))


def _signed(x: Any, to: Grid) -> Any:
    import tensorflow as tf

    m, range_ = _beside(x, to.levels), _beside(x, to.range)
    return range_ * tf.clip_by_value(_round(x * m / range_), -m, m - 1.0) / m


def _through(x: Any, rounded: Any) -> Any:
    import tensorflow as tf

    return x + tf.stop_gradient(-x + rounded)


def relu(x: Any, to: Grid) -> Any:
    """`x` (members, ...) through `quantized_relu`; the gradient is 1 between 0 and the largest value, else 0."""
    import tensorflow as tf

    m, range_ = _beside(x, to.levels), _beside(x, to.range)
    largest = range_ - range_ / m
    clipped = tf.where(x <= largest, tf.nn.relu(x), largest)
    rounded = range_ * tf.clip_by_value(_round(x * m / range_) / m, 0.0, 1.0 - 1.0 / m)
    return _through(clipped, rounded)


def _round(steps: Any) -> Any:
    """Half to even, and NaN where QKeras' formula overflows: a network that has run away is seen as it is there."""
    import tensorflow as tf

    return steps + (-steps + tf.round(steps))


def _beside(x: Any, each: Any) -> Any:
    """One value per member with as many axes as `x` has."""
    import tensorflow as tf

    return tf.reshape(each, [-1] + [1] * (len(x.shape) - 1))
