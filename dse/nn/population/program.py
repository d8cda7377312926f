"""The one program: an epoch of all members of a batch, compiled by XLA once per topology and number of members."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from dse.nn.population import layers
from dse.nn.population.layers import Arrays, Grids, Pass
from dse.nn.population.topology import Topology

#: Adam as tf_keras has it.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


class State(NamedTuple):
    """What changes with every step, (members, ...) by layer name: weights, Adam's two moments, and the kernels' masks."""

    arrays: Arrays
    momentum: Arrays
    velocity: Arrays
    masks: Mapping[str, Any]


class Task(NamedTuple):
    """What stays: the members' quantisers and learning rates (members,), and the training rows, the same for all.

    `x` (n, ...), `y` (n,) class labels or (n, k) targets, and the rows' `weights` (n,) in the loss.
    """

    grids: Grids
    rates: Any
    x: Any
    y: Any
    weights: Any


class Course(NamedTuple):
    """One epoch's steps.

    `rows` (steps, batch) and how much each `counts` (0: filling of the last batch); `corrections` (steps,) of Adam's learning
    rate; masks are renewed where `due` (steps,), and so many weights of each kernel are then `kept` (steps, members); `seeds`
    of the dropout (steps, 2).
    """

    rows: Any
    counts: Any
    corrections: Any
    due: Any
    kept: Mapping[str, Any]
    seeds: Any


@lru_cache(maxsize=8)
def epoch(topology: Topology) -> Any:
    """`epoch(topology)(state, task, course)` -> the state after the epoch, and the sums of the steps' losses (members,)."""
    import tensorflow as tf

    def run(state: State, task: Task, course: Course) -> tuple[State, Any]:
        def step(i: Any, state: State, lost: Any) -> tuple[Any, State, Any]:
            state, loss = _step(topology, state, task, tf.nest.map_structure(lambda a: a[i], course))
            return i + 1, state, lost + loss

        steps = course.rows.shape[0]
        start = (tf.constant(0), state, tf.zeros_like(task.rates))
        _, state, lost = tf.while_loop(lambda i, *_: i < steps, step, start)
        return _masked(state), lost

    return tf.function(run, jit_compile=True)


def _step(topology: Topology, state: State, task: Task, now: Course) -> tuple[State, Any]:
    """One step: renew the masks where it is due, mask, take the gradients of the batch's loss, and Adam's step."""
    import tensorflow as tf

    masks = tf.cond(now.due, lambda: _masks(state.arrays, now.kept), lambda: state.masks)
    state = _masked(state._replace(masks=masks))
    rows, labels = tf.gather(task.x, now.rows), tf.gather(task.y, now.rows)
    with tf.GradientTape() as tape:
        tape.watch(state.arrays)
        found = layers.outputs(topology, Pass(state.arrays, task.grids, now.seeds), rows)
        weights = tf.gather(task.weights, now.rows) * now.counts
        loss = tf.reduce_sum(_losses(found, labels) * weights, axis=1) / tf.reduce_sum(now.counts)
        loss += layers.penalty(topology, state.arrays)
    gradients = tape.gradient(loss, state.arrays)
    return _clipped(_adam(state, gradients, task.rates * now.corrections), task.grids), loss


def _losses(outputs: Any, y: Any) -> Any:
    """Each row's loss (members, rows), as in `train.objective`: squared error where `y` holds numbers, else cross entropy."""
    import tensorflow as tf

    if y.dtype.is_floating:
        return tf.reduce_mean(tf.square(outputs - y), axis=-1)
    labels = tf.broadcast_to(y, tf.shape(outputs)[:2])
    if outputs.shape[-1] == 1:
        return tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, tf.float32), outputs[..., 0])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs)


def _adam(state: State, gradients: Arrays, rates: Any) -> State:
    import tensorflow as tf

    def stepped(array: Any, momentum: Any, velocity: Any) -> Any:
        rate = tf.reshape(rates, [-1] + [1] * (len(array.shape) - 1))
        return array - momentum * rate / (tf.sqrt(velocity) + EPSILON)

    each = tf.nest.map_structure
    momentum = each(lambda m, g: m + (g - m) * (1 - BETA_1), state.momentum, gradients)
    velocity = each(lambda v, g: v + (tf.square(g) - v) * (1 - BETA_2), state.velocity, gradients)
    return State(each(stepped, state.arrays, momentum, velocity), momentum, velocity, state.masks)


def _clipped(state: State, grids: Grids) -> State:
    """Kernels and biases kept within what QKeras' layers constrain them to: 1, or the quantiser's range where that is more."""
    import tensorflow as tf

    def within(array: Any, range_: Any) -> Any:
        most = tf.reshape(tf.maximum(range_, 1.0), [-1] + [1] * (len(array.shape) - 1))
        return tf.clip_by_value(array, -most, most)

    arrays = {}
    for name, found in state.arrays.items():
        ranges = [grids.weights[name].range, *([grids.biases[name].range] if len(found) > 1 else [])]
        arrays[name] = [within(array, range_) for array, range_ in zip(found, ranges, strict=True)]
    return state._replace(arrays=arrays)


def _masks(arrays: Arrays, kept: Mapping[str, Any]) -> dict[str, Any]:
    """1 for each member's `kept` largest weights of each kernel (and for those as large as the smallest of them), else 0."""
    import tensorflow as tf

    found = {}
    for name, count in kept.items():
        sizes = tf.abs(arrays[name][0])
        ranked = tf.sort(tf.reshape(sizes, [sizes.shape[0], -1]), direction="DESCENDING")
        least = tf.gather(ranked, count[:, None] - 1, batch_dims=1)
        found[name] = tf.cast(sizes >= tf.reshape(least, [-1] + [1] * (len(sizes.shape) - 1)), tf.float32)
    return found


def _masked(state: State) -> State:
    arrays = {n: [a * state.masks[n] if i == 0 and n in state.masks else a for i, a in enumerate(found)]
              for n, found in state.arrays.items()}  # fmt: skip
    return state._replace(arrays=arrays)
