"""The quantised networks' outputs: every tensor has the members on its first axis, the rows of the batch on its second."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dse.nn.graph import INPUT_QUANTIZER
from dse.nn.layers import GLOBAL_POOLS, POOLS, WEIGHTED
from dse.nn.population import quantisers
from dse.nn.population.quantisers import Grid
from dse.nn.population.topology import Layer, Topology

#: The arrays of all members by layer name, as the Keras layer orders them, each (members, ...).
Arrays = Mapping[str, list[Any]]


class Grids(NamedTuple):
    """The members' quantisers by layer name, as `graph.Quantizers` groups them."""

    weights: Mapping[str, Grid]
    biases: Mapping[str, Grid]
    activations: Mapping[str, Grid]


class Pass(NamedTuple):
    """One pass over a batch: what the layers need besides their inputs. `seed` is None outside of training."""

    arrays: Arrays
    grids: Grids
    seed: Any


def outputs(topology: Topology, at: Pass, x: Any) -> Any:
    """Logits (members, rows, classes) for rows `x` (rows, ...), the same for all members."""
    import tensorflow as tf

    tensors: dict[str, Any] = {}
    for number, layer in enumerate(topology):
        if layer.kind == "InputLayer":
            out = quantisers.signed(x[None], at.grids.activations[INPUT_QUANTIZER])
        else:
            seed = None if at.seed is None else at.seed + tf.constant([0, number])
            out = _FORMS[layer.kind](layer, at._replace(seed=seed), *(tensors[name] for name in layer.inputs))
        if layer.activated:
            out = quantisers.relu(out, at.grids.activations[layer.name])
        tensors[layer.name] = out
    return tensors[topology[-1].name]


def penalty(topology: Topology, arrays: Arrays) -> Any:
    """What the regularizers add to each member's loss (members,)."""
    import tensorflow as tf

    terms = []
    for layer in topology:
        for number, l1, l2 in layer.penalties:
            flat = tf.reshape(arrays[layer.name][number], [len(arrays[layer.name][number]), -1])
            terms.append(l1 * tf.reduce_sum(tf.abs(flat), axis=1) + l2 * tf.reduce_sum(tf.square(flat), axis=1))
    return tf.add_n(terms) if terms else 0.0


def _same(_layer: Layer, _at: Pass, x: Any) -> Any:
    return x


def _weighted(layer: Layer, at: Pass, x: Any) -> Any:
    """Dense layers and convolutions: the products of all windows with the kernel, and the bias."""
    import tensorflow as tf

    kernel, *bias = at.arrays[layer.name]
    kernel = quantisers.weights(kernel, at.grids.weights[layer.name])
    if layer.kind == "Dense":
        out = tf.matmul(x, kernel)
    elif layer.kind == "DepthwiseConv2D":
        taps = tf.reshape(kernel, [kernel.shape[0], -1, 1, 1, 1, kernel.shape[3]])
        out = sum(window * taps[:, i] for i, window in enumerate(_windows(layer, "kernel_size", x)))
    else:
        windows = tf.concat(_windows(layer, "kernel_size", x), axis=-1)
        out = tf.matmul(
            tf.reshape(windows, [x.shape[0], -1, windows.shape[-1]]), tf.reshape(kernel, [x.shape[0], -1, kernel.shape[-1]])
        )
    out = tf.reshape(out, [x.shape[0], -1, *layer.shape])
    if bias:
        bias = quantisers.signed(bias[0], at.grids.biases[layer.name])
        out += tf.reshape(bias, [x.shape[0], *[1] * len(layer.shape), -1])
    return out


def _windows(layer: Layer, size: str, x: Any) -> list[Any]:
    """What each place of a sliding window sees (members, rows, ..., channels), the last axis of the window fastest.

    Padding follows from the shapes: where a row is too short for the layer's output, zeros are put around it, the odd one
    behind.
    """
    import tensorflow as tf

    places = list(zip(layer[size], layer["strides"], x.shape[2:-1], layer.shape[:-1], strict=True))
    lacking = [max((n_out - 1) * stride + k - n_in, 0) for k, stride, n_in, n_out in places]
    if any(lacking):
        x = tf.pad(x, [[0, 0], [0, 0], *([n // 2, n - n // 2] for n in lacking), [0, 0]])
    every = slice(None)
    return [
        x[(every, every, *(slice(i, i + (n - 1) * s + 1, s) for i, (_, s, _, n) in zip(at, places, strict=True)), every)]
        for at in itertools.product(*(range(k) for k, *_ in places))
    ]


def _pool(layer: Layer, _at: Pass, x: Any) -> Any:
    import tensorflow as tf

    first, *rest = _windows(layer, "pool_size", x)
    if layer.kind.startswith("Average"):
        return sum(rest, start=first) / (1 + len(rest))
    for other in rest:  # the gradient goes to the first of the largest, as in tensorflow's pooling
        first = tf.where(other > first, other, first)
    return first


def _global_pool(layer: Layer, _at: Pass, x: Any) -> Any:
    import tensorflow as tf

    reduce = tf.reduce_max if "Max" in layer.kind else tf.reduce_mean
    return tf.reshape(reduce(x, axis=list(range(2, len(x.shape) - 1))), [x.shape[0], -1, *layer.shape])


def _add(_layer: Layer, _at: Pass, x: Any, y: Any) -> Any:
    return x + y


def _concatenate(_layer: Layer, _at: Pass, *xs: Any) -> Any:
    import tensorflow as tf

    return tf.concat(xs, axis=-1)


def _reshaped(layer: Layer, _at: Pass, x: Any) -> Any:
    import tensorflow as tf

    return tf.reshape(x, [x.shape[0], -1, *layer.shape])


def _dropout(layer: Layer, at: Pass, x: Any) -> Any:
    """The same elements are dropped for all members."""
    import tensorflow as tf

    if at.seed is None or layer["rate"] == 0:
        return x
    kept = tf.random.stateless_uniform(x.shape[1:], at.seed) >= layer["rate"]
    return tf.where(kept, x / (1 - layer["rate"]), 0.0)


_FORMS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("InputLayer", "ReLU", "Activation"), _same),
    **dict.fromkeys(WEIGHTED, _weighted),
    **dict.fromkeys(POOLS, _pool),
    **dict.fromkeys(GLOBAL_POOLS, _global_pool),
    **dict.fromkeys(("Flatten", "Reshape"), _reshaped),
    "Add": _add,
    "Concatenate": _concatenate,
    "Dropout": _dropout,
}
