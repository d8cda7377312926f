"""Training many networks at once, step by step: each one is that of QKeras and tfmot, to the rounding of float32."""

from dataclasses import replace

import numpy as np
import pytest

from dse import legacy_keras  # noqa: F401 - before tensorflow
from dse.nn import compress, population, train
from dse.nn.population import program
from dse.nn.population.batches import _courses, grids, start
from dse.nn.population.program import State, Task
from tests.nn.test_population import design, member, qkeras_model
from tests.tiny import STUDY

tf = pytest.importorskip("tensorflow")

#: What float32 sums in another order may differ by, in shares of the largest number of their tensor.
ROUNDING = 2e-6
TRAINING = replace(STUDY.workload.training, fine_tune_epochs=5)
#: Begins with the second of the 25 steps and ends with the fourteenth.
PRUNING = population.Pruning(14, 2)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The tiny study's trained float network."""
    folder = tmp_path_factory.mktemp("base")
    train.train(STUDY.workload, (), folder)
    return compress.Base(STUDY.workload, (), folder)


def keras_steps(base, one, courses):
    """The loss and the state of a member after each step that QKeras and tfmot make on the courses' rows."""
    from tensorflow_model_optimization.python.core.sparsity.keras import prune, pruning_callbacks, pruning_schedule
    from tf_keras import optimizers

    def wrap(layer):
        schedule = pruning_schedule.PolynomialDecay(0.0, one.sparsity[layer.name], 0, PRUNING.end, frequency=PRUNING.every)
        return prune.prune_low_magnitude(layer, pruning_schedule=schedule)

    model, _ = qkeras_model(base.nodes, one, wrap)
    adam, update = optimizers.Adam(one.learning_rate), pruning_callbacks.UpdatePruningStep()
    model.compile(adam, train.objective(base.data.task, model.output_shape[1]))
    update.set_model(model)
    update.on_train_begin()
    wrapped = {layer.layer.name: layer for layer in model.layers if hasattr(layer, "pruning_vars")}
    rows = base.data.train
    for course in courses:
        for order, counts in zip(course.rows, course.counts, strict=True):
            now = order[counts == 1]
            loss = model.train_on_batch(rows.x[now], rows.y[now])
            yield loss, _keras_state(wrapped, adam)
        update.on_epoch_end(0)


def _keras_state(wrapped, adam):
    found = State({}, {}, {}, {})
    for name, layer in wrapped.items():
        weights = layer.layer.trainable_weights
        places = [adam._index_dict[adam._var_key(weight)] for weight in weights]
        found.arrays[name] = [weight.numpy() for weight in weights]
        found.momentum[name] = [adam._momentums[place].numpy() for place in places]
        found.velocity[name] = [adam._velocities[place].numpy() for place in places]
        found.masks[name] = layer.pruning_vars[0][1].numpy()
    return found


def stacked(states):
    """Several members' states as one."""
    return tf.nest.map_structure(lambda *arrays: tf.constant(np.stack(arrays)), *states)


def far(ours, theirs):
    """How far numbers of the same place are apart at most, in shares of the largest."""
    pairs = zip(tf.nest.flatten(ours), tf.nest.flatten(theirs), strict=True)
    return max(float(np.abs(np.asarray(a) - b).max() / max(np.abs(b).max(), 1e-12)) for a, b in pairs)


@pytest.mark.slow
def test_every_step_is_that_of_qkeras_and_tfmot(base):
    """Two members of 3 and 10 bits that lose 90 % of their weights; last batches are not full.

    After each step the program goes on from Keras' own state: a rounded sum that another order makes differ in its last bit
    would move a quantised weight some steps later, and say nothing about the arithmetic.
    """
    members = [member(base, design(bits, activation_bits, 0.9)) for bits, activation_bits in ((3, 3), (10, 8))]
    topology, rows = population.topology(base.nodes), base.data.train
    courses = list(_courses(topology, members, len(rows.y), TRAINING, PRUNING))
    rates = tf.constant([one.learning_rate for one in members], tf.float32)
    task = Task(grids(members), rates, tf.constant(rows.x), tf.constant(rows.y), tf.ones(len(rows.y)))
    step = tf.function(lambda state, now: program._step(topology, state, task, now), jit_compile=True)
    theirs = zip(*(keras_steps(base, one, courses) for one in members), strict=True)
    state, kept = start(topology, members), []
    for course in courses:
        for number in range(len(course.rows)):
            ours, losses = step(state, tf.nest.map_structure(lambda array, i=number: tf.constant(array[i]), course))
            losses_there, states = zip(*next(theirs), strict=True)
            state = stacked(states)
            assert np.allclose(losses, losses_there, rtol=1e-5)
            assert all(np.array_equal(ours.masks[name], mask) for name, mask in state.masks.items())
            assert far(ours[:3], state[:3]) < ROUNDING
            kept.append(np.asarray(state.masks["fc1"]).sum(axis=(1, 2)).tolist())
        state = program._masked(state)
    assert kept[0] == [64] * 2
    assert kept[13:] == [[6] * 2] * (len(kept) - 13)
