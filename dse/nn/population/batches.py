"""Many networks of one topology, trained together."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse import busy, scores
from dse.errors import StageFailed
from dse.nn.graph import Quantizers
from dse.nn.population import quantisers
from dse.nn.population.layers import Grids
from dse.nn.population.memory import affordable, members_at_once
from dse.nn.population.program import BETA_1, BETA_2, Course, State, Task, epoch
from dse.nn.population.topology import Topology
from dse.workload import Split, Training

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Member:
    """One network before its training: float arrays by layer, quantisers, and the share of each kernel to be pruned."""

    arrays: Mapping[str, Sequence[np.ndarray]]
    quantizers: Quantizers
    sparsity: Mapping[str, float]
    learning_rate: float


@dataclass(frozen=True)
class Trained:
    """One network after its training; `lost` is the first epoch (from 1) in which its loss was no number, or None."""

    member: Member
    arrays: Mapping[str, list[np.ndarray]]
    lost: int | None


@dataclass(frozen=True)
class Pruning:
    """tfmot's PolynomialDecay from 0 to a final sparsity: masks are renewed every `every` steps up to step `end`."""

    end: int
    every: int

    def due(self, steps: np.ndarray) -> Any:
        """Whether masks are renewed in these steps (the first is 1)."""
        return (steps <= self.end) & (steps % self.every == 0)

    def kept(self, steps: np.ndarray, size: int, sparsity: np.ndarray) -> Any:
        """How many of `size` weights stay (steps, members) for final sparsities (members,); in float32, as tfmot counts."""
        import tensorflow as tf

        done = tf.minimum(1.0, tf.cast(steps[:, None], tf.float32) / self.end)
        now = (0.0 - sparsity.astype(np.float32)) * tf.pow(1 - done, 3) + sparsity.astype(np.float32)
        return tf.cast(tf.maximum(tf.round(tf.cast(size, tf.float32) * (1 - now)), 1), tf.int32)


def grids(members: Sequence[Member]) -> Grids:
    """The members' quantisers, tensor by tensor."""
    found = {}
    for group in Grids._fields:
        names = getattr(members[0].quantizers, group)
        found[group] = {name: quantisers.grid([getattr(m.quantizers, group)[name] for m in members]) for name in names}
    return Grids(**found)


def train(
    topology: Topology, members: Sequence[Member], data: Split, training: Training, pruning: Pruning
) -> Iterator[list[Trained]]:
    """Train the members for `training.fine_tune_epochs` epochs; yields each batch of them when it is finished.

    Batches are filled up to one size, which depends on the network alone, so what becomes of a member does not depend on the
    others. Only where memory is short is a batch halved, which rounds some sums otherwise; StageFailed("memory") where there
    is too little for one.
    """
    import tensorflow as tf

    wanted = members_at_once(topology, training.batch_size)
    at_once, done = affordable(topology, training.batch_size, wanted), 0
    if at_once < wanted:
        log.warning("Memory is short: %d at once are trained instead of %d.", at_once, wanted)
    while done < len(members):
        batch = list(members[done : done + at_once])
        try:
            trained = _batch(topology, batch + batch[-1:] * (at_once - len(batch)), data, training, pruning)
        except (MemoryError, tf.errors.ResourceExhaustedError) as error:
            if at_once == 1:
                raise StageFailed("memory", f"there is too little memory to train one network: {error}") from error
            at_once //= 2
            log.warning("Out of memory: %d networks are trained at once from here on.", at_once)
            continue
        yield trained[: len(batch)]
        done += len(batch)


def _batch(topology: Topology, members: Sequence[Member], data: Split, training: Training, pruning: Pruning) -> list[Trained]:
    """All these members at once, on the same rows in the same order."""
    import tensorflow as tf

    rates = tf.constant([member.learning_rate for member in members], tf.float32)
    rows, weights = data.train, scores.row_weights(training, data.train.y, data.classes)
    weights = np.ones(len(rows.y), np.float32) if weights is None else weights
    task = Task(grids(members), rates, tf.constant(rows.x), tf.constant(rows.y), tf.constant(weights))
    state, run, lost = start(topology, members), epoch(topology), np.zeros(len(members), int)
    count = len(set(map(id, members)))  # the last one fills the batch
    for number, course in enumerate(_courses(topology, members, len(rows.y), training, pruning), 1):
        busy.log.info("training %d networks, epoch %d/%d", count, number, training.fine_tune_epochs)
        state, losses = run(state, task, course)
        lost[~np.isfinite(losses) & (lost == 0)] = number
    found = {name: [np.asarray(array) for array in arrays] for name, arrays in state.arrays.items()}
    return [
        Trained(member, {name: [a[i] for a in arrays] for name, arrays in found.items()}, int(lost[i]) or None)
        for i, member in enumerate(members)
    ]


def start(topology: Topology, members: Sequence[Member]) -> State:
    """The members' weights before the first step; nothing is masked."""
    import tensorflow as tf

    arrays = {
        layer.name: [
            tf.constant(np.stack(found), tf.float32) for found in zip(*(m.arrays[layer.name] for m in members), strict=True)
        ]
        for layer in topology
        if layer.arrays
    }
    zeros = tf.nest.map_structure(tf.zeros_like, arrays)
    masks = {name: tf.ones_like(found[0]) for name, found in arrays.items()}
    return State(arrays, zeros, zeros, masks)


def orders(training: Training, n: int) -> Iterator[np.ndarray]:
    """The order of the n rows in each epoch; it depends on the training's seed alone."""
    draw = np.random.default_rng(training.seed)
    for _ in range(training.fine_tune_epochs):
        yield draw.permutation(n)


def _courses(topology: Topology, members: Sequence[Member], n: int, training: Training, pruning: Pruning) -> Iterator[Course]:
    """One course per epoch."""
    batch = training.batch_size
    steps = -(-n // batch)
    filling = np.zeros(steps * batch - n, np.int32)
    counts = np.concatenate([np.ones(n, np.float32), filling]).reshape(steps, batch).astype(np.float32)
    for number, order in enumerate(orders(training, n)):
        at = number * steps + np.arange(1, steps + 1)
        yield Course(
            rows=np.concatenate([order.astype(np.int32), filling]).reshape(steps, batch),
            counts=counts,
            corrections=(np.sqrt(1 - BETA_2**at) / (1 - BETA_1**at)).astype(np.float32),
            due=pruning.due(at),
            kept={
                layer.name: pruning.kept(at, int(np.prod(layer.arrays[0])), np.array([m.sparsity[layer.name] for m in members]))
                for layer in topology
                if layer.arrays
            },
            seeds=np.stack([np.full(steps, training.seed, np.int32), (at * len(topology)).astype(np.int32)], axis=1),
        )
