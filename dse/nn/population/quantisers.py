"""QKeras' quantisers with their widths as tensors: one program then serves members of all widths.

The formulas, the order of their operations and so the rounding of every float32 are those of QKeras' `quantized_bits(bits,
integer, alpha=1)` and `quantized_relu(bits, integer)`; gradients go straight through as they do there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dse.fixed import Quantizer


class Grid(NamedTuple):
    """What one tensor is rounded to, per member (members,): how many values there are on a side, and their range."""

    levels: Any
    range: Any


def grid(quantizers: Sequence[Quantizer]) -> Grid:
    """The members' quantisers of one tensor as float32 arrays (members,); powers of two, so nothing is rounded."""
    levels = [2.0 ** (one.bits - one.signed) for one in quantizers]
    return Grid(np.asarray(levels, np.float32), np.asarray([2.0**one.integer for one in quantizers], np.float32))


def signed(x: Any, to: Grid) -> Any:
    """`x` (members, ...) through `quantized_bits`; the gradient is 1 everywhere, saturated or not."""
    import tensorflow as tf

    m, range_ = _beside(x, to)
    rounded = range_ * tf.clip_by_value(_round(x * m / range_), -m, m - 1.0) / m
    return x + tf.stop_gradient(-x + rounded)


def relu(x: Any, to: Grid) -> Any:
    """`x` (members, ...) through `quantized_relu`; the gradient is 1 between 0 and the largest value, else 0."""
    import tensorflow as tf

    m, range_ = _beside(x, to)
    largest = range_ - range_ / m
    clipped = tf.where(x <= largest, tf.nn.relu(x), largest)
    rounded = range_ * tf.clip_by_value(_round(x * m / range_) / m, 0.0, 1.0 - 1.0 / m)
    return clipped + tf.stop_gradient(-clipped + rounded)


def _round(steps: Any) -> Any:
    """Half to even, and NaN where QKeras' formula overflows: a network that has run away is seen as it is there."""
    import tensorflow as tf

    return steps + (-steps + tf.round(steps))


def _beside(x: Any, to: Grid) -> tuple[Any, Any]:
    """Levels and range with as many axes as `x` has."""
    import tensorflow as tf

    shape = [-1] + [1] * (len(x.shape) - 1)
    return tf.reshape(to.levels, shape), tf.reshape(to.range, shape)
