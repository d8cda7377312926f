"""Training many networks at once: the same arithmetic as QKeras and tfmot, and nobody is changed by the company."""

from dataclasses import replace

import numpy as np
import pytest

from dse import (
    legacy_keras,  # noqa: F401 - before tensorflow
    scores,
)
from dse.data import Rows, Split
from dse.design import build
from dse.errors import StageFailed
from dse.fixed import TERNARY_FROM, TERNARY_WEIGHTS, Quantizer
from dse.nn import compress, graph, population, train
from dse.nn.population import layers, memory, quantisers
from dse.nn.population.batches import grids, start
from dse.workload import Training
from tests.nn.test_layers import MODELS, quantised
from tests.tiny import STUDY

tf = pytest.importorskip("tensorflow")

WIDTHS = range(2, 17)
INTEGERS = range(9)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The tiny study's trained float network."""
    folder = tmp_path_factory.mktemp("base")
    train.train(STUDY.workload, (), folder)
    return compress.Base(STUDY.workload, (), folder)


def design(bits=5, activation_bits=5, sparsity=0.5, **changes):
    """A design of the tiny study."""
    asked = {"weight_bits": bits, "activation_bits": activation_bits, "sparsity": sparsity, "input_bits": 8, **changes}
    return build(asked)


def several(count):
    """Different designs; the first have ternary weights in one layer or in both."""
    mixed = [design("ternary", 6), design(4, 4, **{"weight_bits.fc1": "ternary"}), design("ternary", 3, 0.0)]
    widths = [(2 + i % 11, 2 + i * 3 % 11, 0.1 * (i % 10), 3 + i % 9) for i in range(3, count)]
    return [*mixed, *(design(*three, **{"weight_bits.out": last}) for *three, last in widths)][:count]


def member(base, one, learning_rate=STUDY.workload.training.learning_rate):
    """A design's network before its training."""
    sparsity = {name: one.compression.sparsity.of(name) for name in base.arrays}
    return population.Member(base.arrays, base.quantizers(one.compression), sparsity, learning_rate)


def values(quantizer):
    """Ties and their neighbours, saturation, both zeros, tiny and huge values, and a draw."""
    step = 2.0 ** (quantizer.integer + quantizer.signed - quantizer.bits)
    top = min(2**quantizer.bits, 400)
    ties = np.concatenate([np.arange(-top, top + 1) * step / 2, np.arange(-5, 6) / 2 * step + 2.0**quantizer.integer])
    near = [np.nextafter(ties.astype(np.float32), side, dtype=np.float32) for side in (-np.inf, np.inf)]
    rims = np.float32([TERNARY_FROM, -TERNARY_FROM])
    near += [rims, np.nextafter(rims, np.float32(0)), np.nextafter(rims, np.sign(rims) * np.float32(1))]
    draw = np.random.default_rng(0).normal(size=500) * 2.0 ** np.random.default_rng(1).integers(-12, 12, 500)
    odd = [0.0, -0.0, 1e-45, -1e-45, 1e-30, 3e38, -3e38, 100.3, -100.3, 0.1, 1e7 + 1]
    return np.concatenate([ties, *near, draw, odd]).astype(np.float32)


@pytest.mark.parametrize("what", ["signed", "weights", "relu"])
def test_quantisers_are_those_of_qkeras_bit_for_bit(what):
    """All widths from 2 to 16 with 0 to 8 integer bits, and ternary weights, in one compiled call; gradients too."""
    ours = getattr(quantisers, what)
    every = [Quantizer(bits, integer, what != "relu") for bits in WIDTHS for integer in INTEGERS]
    every[7:7] = [TERNARY_WEIGHTS] * (what == "weights")
    rows = [values(one) for one in every]
    x = np.zeros((len(every), max(map(len, rows))), np.float32)
    for row, found in zip(x, rows, strict=True):
        row[: len(found)] = found
    grid = quantisers.grid(every)

    @tf.function(jit_compile=True)
    def program(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = ours(x, grid)
        return y, tape.gradient(y, x)

    y, slopes = (np.asarray(a) for a in program(tf.constant(x)))
    for i, one in enumerate(every):
        theirs = tf.constant(x[i])
        with tf.GradientTape() as tape:
            tape.watch(theirs)
            expected = graph.qkeras_of(one)(theirs)
        assert np.array_equal(y[i].view(np.int32), np.asarray(expected).view(np.int32)), one
        assert np.array_equal(slopes[i], np.asarray(tape.gradient(expected, theirs))), one


def outputs(nodes, members, x):
    """The population's outputs (members, rows, n_out), compiled as in training."""
    topology = population.topology(nodes)
    arrays = start(topology, members).arrays
    run = tf.function(lambda x: layers.outputs(topology, layers.Pass(arrays, grids(members), None), x), jit_compile=True)
    return np.asarray(run(tf.constant(x)))


def qkeras_model(nodes, one, wrap=lambda layer: layer):
    """The QKeras model of a member, with its weights; and its layers by name, without wrappers."""
    model = graph.quantised(nodes, one.quantizers, wrap)
    inner = {layer.name: layer for layer in (getattr(wrapped, "layer", wrapped) for wrapped in model.layers)}
    for name, arrays in one.arrays.items():
        inner[name].set_weights(arrays)
    return model, inner


def test_outputs_are_those_of_the_qkeras_model(base):
    """Bit for bit for the same weights: up to 11 bits all products and sums are exact in float32, in whatever order.

    Wider sums are rounded, by tensorflow's kernels and by XLA's each in their order: there the outputs agree to 1e-5 of the
    largest, and the quantised weights, which the quantisers' own test covers for all widths, are the same.
    """
    every = [*several(20), *(design(bits, bits, input_bits=16) for bits in range(12, 17))]
    x, members = base.data.validation.x, [member(base, one) for one in every]
    ours = outputs(base.nodes, members, x)
    for i, one in enumerate(members):
        expected = qkeras_model(base.nodes, one)[0].predict(x, verbose=0)
        if i < 20:
            assert np.array_equal(ours[i], expected), i
        else:
            assert np.abs(ours[i] - expected).max() <= 1e-5 * np.abs(expected).max()


def drawn(name, every=(3, 5, 8)):
    """A network with all kinds of layers: its nodes, members of these widths, and rows."""
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    model = MODELS[name]()
    rows = np.random.default_rng(5).uniform(-1, 1, size=(40, *model.input_shape[1:])).astype(np.float32)
    found = [quantised(model, rows, bits)[1] for bits in every]
    nodes = graph.nodes(model)
    arrays = {node.name: node.weights() for node in nodes if node.weighted}
    sparsity = {layer: 0.1 * i for i, layer in enumerate(arrays)}
    return nodes, [population.Member(arrays, one, sparsity, 0.01) for one in found], rows


@pytest.mark.parametrize("name", list(MODELS))
def test_every_kind_of_layer_computes_what_qkeras_computes(name):
    """Convolutions with strides and paddings, depthwise ones, pools, branches, folded normalisations: bit for bit."""
    nodes, members, rows = drawn(name)
    for one, ours in zip(members, outputs(nodes, members, rows), strict=True):
        expected = np.asarray(qkeras_model(nodes, one)[0](rows, training=False))
        assert len(np.unique(expected, axis=0)) > 5
        assert np.array_equal(ours, expected)


def keras_trained(nodes, one, data, training, pruning):
    """The same member, trained by QKeras and tfmot on the same rows in the same order."""
    from tensorflow_model_optimization.python.core.sparsity.keras import prune, pruning_callbacks, pruning_schedule
    from tf_keras import optimizers

    def wrap(layer):
        schedule = pruning_schedule.PolynomialDecay(0.0, one.sparsity[layer.name], 0, pruning.end, frequency=pruning.every)
        return prune.prune_low_magnitude(layer, pruning_schedule=schedule)

    model, inner = qkeras_model(nodes, one, wrap)
    model.compile(optimizers.Adam(one.learning_rate), train.objective(data.task, model.output_shape[1]))
    callbacks = [pruning_callbacks.UpdatePruningStep()]
    weights = scores.row_weights(training, data.train.y, data.classes)
    for order in population.orders(training, len(data.train.y)):
        some = None if weights is None else weights[order]
        batches = {"batch_size": training.batch_size, "shuffle": False, "verbose": 0, "callbacks": callbacks}
        model.fit(data.train.x[order], data.train.y[order], sample_weight=some, **batches)
    return {name: inner[name].get_weights() for name in one.arrays}


def assert_alike(ours, theirs):
    """All but 1 % of the weights to 1e-4, and the same ones pruned.

    Adam divides by the root of the mean square: where a gradient is nothing but the rounding of float32 sums, its step is not.
    """
    for name, arrays in theirs.items():
        assert np.array_equal(ours[name][0] == 0, arrays[0] == 0), name
    pairs = [(a.ravel(), b.ravel()) for name, arrays in theirs.items() for a, b in zip(ours[name], arrays, strict=True)]
    apart = np.abs(np.concatenate([a for a, _ in pairs]) - np.concatenate([b for _, b in pairs]))
    assert np.mean(apart > 1e-4) <= 0.01, np.sort(apart)[-20:]


@pytest.mark.parametrize("bits", [12, "ternary"])
def test_training_is_that_of_keras_and_tfmot(base, bits):
    """Three epochs on the same rows in the same order: Adam, loss, masks and their schedule give the same weights."""
    training, pruning = replace(STUDY.workload.training, fine_tune_epochs=3), population.Pruning(9, 2)
    one = member(base, design(bits, 12, 0.7))
    (found,) = next(population.train(population.topology(base.nodes), [one], base.data, training, pruning))
    assert_alike(found.arrays, keras_trained(base.nodes, one, base.data, training, pruning))
    assert np.mean(found.arrays["fc1"][0] == 0) == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("bits", [12, "ternary"])
def test_weights_stay_where_qkeras_keeps_them(base, bits):
    """QKeras clips kernels and biases after each step: a weight that wandered far beyond its type would be stuck there."""
    training, pruning = replace(STUDY.workload.training, fine_tune_epochs=3, learning_rate=0.1), population.Pruning(9, 2)
    one = replace(member(base, design(bits, 12, 0.7)), learning_rate=0.1)
    (found,) = next(population.train(population.topology(base.nodes), [one], base.data, training, pruning))
    theirs = keras_trained(base.nodes, one, base.data, training, pruning)
    for name, arrays in found.arrays.items():
        rims = [rim(q[name]) for q in (one.quantizers.weights, one.quantizers.biases)]
        for ours, other, most in zip(arrays, theirs[name], rims, strict=True):
            assert max(np.abs(ours).max(), np.abs(other).max()) <= most
    assert np.abs(found.arrays["fc1"][0]).max() == rim(one.quantizers.weights["fc1"])


def rim(quantizer):
    """What QKeras constrains to: 1, or the quantiser's largest value where that is more."""
    return 1.0 if quantizer.ternary else max(1.0, 2.0**quantizer.integer)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MODELS))
def test_every_kind_of_layer_is_trained_as_by_keras_and_tfmot(name):
    """Two epochs with a last batch that is not full; without the dropout, which is drawn."""
    nodes, members, rows = drawn(name, (8,))
    for node in nodes:
        if node.kind == "Dropout":
            node.layer.rate = 0.0
    some = Rows(rows, np.arange(40) % 3)
    data = Split(some, some, some, 3, "")
    training, pruning = Training(fine_tune_epochs=2, batch_size=16), population.Pruning(4, 2)
    (found,) = next(population.train(population.topology(nodes), members, data, training, pruning))
    assert_alike(found.arrays, keras_trained(nodes, members[0], data, training, pruning))


def _outputs(n_out):
    from tf_keras import Sequential, layers, regularizers

    penalty = {"kernel_regularizer": regularizers.L1L2(1e-3, 1e-2), "bias_regularizer": regularizers.L2(1e-2)}
    return Sequential([layers.Input((6,)), layers.Dense(5, "relu", name="fc", **penalty), layers.Dense(n_out, name="out")])


@pytest.mark.parametrize(
    ("task", "n_out", "weights"),
    [
        ("regression", 2, None), ("classification", 1, None), ("classification", 1, "balanced"),
        ("classification", 2, (0.5, 2.0)),
    ],
)  # fmt: skip
def test_every_loss_is_that_of_keras(task, n_out, weights):
    """Squared errors of two targets, one logit, logits; class weights; regularizers of kernels and biases."""
    draw = np.random.default_rng(3)
    x, labels = draw.normal(size=(40, 6)).astype(np.float32), (np.arange(40) % 5 == 0).astype(np.int64)
    some = Rows(x, draw.normal(size=(40, 2)).astype(np.float32) if task == "regression" else labels)
    data = Split(some, some, some, 0 if task == "regression" else 2, "", task)
    _, quantizers = quantised(model := _outputs(n_out), x, 8)
    nodes = graph.nodes(model)
    arrays = {node.name: node.weights() for node in nodes if node.weighted}
    one = population.Member(arrays, quantizers, dict.fromkeys(arrays, 0.3), 0.01)
    training = Training(fine_tune_epochs=2, batch_size=16, class_weights=weights)
    pruning = population.Pruning(4, 2)
    (found,) = next(population.train(population.topology(nodes), [one], data, training, pruning))
    assert_alike(found.arrays, keras_trained(nodes, one, data, training, pruning))


def test_masks_keep_as_many_weights_as_tfmot_at_every_step():
    """The schedule and its rounding in float32, for sizes and sparsities of all kinds."""
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_schedule

    sparsities, pruning = np.linspace(0.05, 0.95, 19), population.Pruning(204, 17)
    steps = np.arange(1, 240)
    for size in (7, 64, 160, 2048, 4097):
        kept = np.asarray(pruning.kept(steps, size, sparsities))
        for i, sparsity in enumerate(sparsities):
            schedule = pruning_schedule.PolynomialDecay(0.0, float(sparsity), 0, pruning.end, frequency=pruning.every)
            for step in steps[::7]:
                due, now = schedule(tf.constant(step))
                assert bool(due) == pruning.due(step)
                assert kept[step - 1, i] == max(np.round(np.float32(size) * (1 - np.asarray(now))), 1)


def test_a_network_does_not_depend_on_its_company(base):
    """Trained alone, among others, at another place: the same weights to the last bit."""
    every = several(12)
    (alone,) = next(compress.together(base, [every[5]]))
    among = [one for batch in compress.together(base, every) for one in batch]
    turned = [one for batch in compress.together(base, every[::-1]) for one in batch][::-1]
    assert len(among) == 12
    for other in (among[5], turned[5]):
        assert all(np.array_equal(a, b) for n in base.arrays for a, b in zip(alone.arrays[n], other.arrays[n], strict=True))
    assert not np.array_equal(among[5].arrays["fc1"][0], among[6].arrays["fc1"][0])


def test_a_loss_that_is_no_number_is_one_members_own(base):
    """It is lost with its epoch; the others are as they would be without it."""
    topology, training, pruning = population.topology(base.nodes), STUDY.workload.training, population.Pruning(10, 2)
    members = [member(base, design(bits, 5, 0.1 * bits)) for bits in (2, 3, 4, 5)]
    wild = replace(members[1], learning_rate=1e39)
    fine = next(population.train(topology, members, base.data, training, pruning))
    found = next(population.train(topology, [members[0], wild, *members[2:]], base.data, training, pruning))
    assert [one.lost for one in found] == [None, 1, None, None]
    for i in (0, 2, 3):
        assert all(np.array_equal(a, b) for a, b in zip(fine[i].arrays["fc1"], found[i].arrays["fc1"], strict=True))


@pytest.fixture
def untrained(monkeypatch):
    """Batches that are not trained; a function that sets the most members that memory is enough for, and the sizes tried."""
    sizes, most = [], []

    def batch(topology, members, *_):
        sizes.append(len(members))
        if len(members) > most[0]:
            raise tf.errors.ResourceExhaustedError(None, None, "no room for a tensor")
        return [population.Trained(one, one.arrays, None) for one in members]

    monkeypatch.setattr("dse.nn.population.batches._batch", batch)

    def enough_for(members):
        most[:] = [members]
        return sizes

    return enough_for


def test_out_of_memory_is_survived_by_smaller_batches(base, untrained, caplog):
    """Memory is enough for seven: batches of 32, 16 and 8 are given up, then four at a time; nobody is lost or made twice."""
    sizes, every = untrained(7), [member(base, one) for one in several(10)]
    rest = (population.topology(base.nodes), every, base.data, STUDY.workload.training, population.Pruning(4, 2))
    found = [one.member for batch in population.train(*rest) for one in batch]
    assert sizes == [32, 16, 8, 4, 4, 4]
    assert [id(one) for one in found] == [id(one) for one in every]
    assert "4 networks are trained at once from here on" in caplog.text


def test_a_network_that_no_memory_is_enough_for_is_a_failure_of_that_kind(base, untrained):
    """After a batch of one there is nothing smaller."""
    untrained(0)
    rest = (population.topology(base.nodes), [member(base, design())], base.data, STUDY.workload.training)
    with pytest.raises(StageFailed, match="too little memory to train one network") as caught:
        list(population.train(*rest, population.Pruning(4, 2)))
    assert caught.value.kind == "memory"


def test_a_batch_is_as_large_as_memory_allows(base, monkeypatch):
    """From the network alone; smaller where half of what is free is less than it needs, before anything is tried."""
    topology = population.topology(base.nodes)
    one = memory.member_bytes(topology, 16)
    assert memory.members_at_once(topology, 16) == memory.MOST
    monkeypatch.setattr(memory, "BUSY", one - 1)
    assert memory.members_at_once(topology, 16) == memory.MOST_BUSY
    monkeypatch.setattr(memory, "BUSY", one)
    monkeypatch.setattr(memory, "BUDGET", 5 * one)
    assert memory.members_at_once(topology, 16) == 5
    monkeypatch.setattr(memory, "BUDGET", one // 2)
    assert memory.members_at_once(topology, 16) == 1
    monkeypatch.setattr(memory, "_available_bytes", lambda: 20 * one)
    assert memory.affordable(topology, 16, 32) == 8
    monkeypatch.setattr(memory, "_available_bytes", lambda: None)
    assert memory.affordable(topology, 16, 32) == 32
    monkeypatch.setattr(memory, "_here", memory._Here())
    memory.use(3)
    assert memory.affordable(topology, 16, 32) == 3
    memory.use(None)
    assert memory.affordable(topology, 16, 32) == 32


def test_the_machine_says_what_memory_is_free():
    """Of the order of a machine's memory, and not 0."""
    assert 2**26 < memory._available_bytes() < 2**50


@pytest.mark.parametrize(("controller", "files"), [
    ("memory", ("memory/job", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")),
    ("", ("job", "memory.max", "memory.current", "inactive_file")),
])  # fmt: skip
def test_a_container_s_limit_counts(tmp_path, monkeypatch, controller, files):
    """Of a machine and the control groups around a process, the one that has least left; both versions of the files."""
    folder, limit, used, cached = files
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "SYS", tmp_path / "sys")
    assert memory._available_bytes() is None
    own = tmp_path / "sys" / folder / "step"
    own.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(f"3:cpu:/\n0:{controller}:/job/step\n")
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 8000 kB\n")
    assert memory._available_bytes() == 8000 * 1024
    (own.parent / limit).write_text("5000\n")
    (own.parent / used).write_text("4500\n")
    (own.parent / "memory.stat").write_text(f"cache 77\n{cached} 300\n")
    assert memory._available_bytes() == 800
    (own / limit).write_text("max\n")
    (own / used).write_text("10\n")
    assert memory._available_bytes() == 800
    (own.parent / used).write_text("6000\n")
    assert memory._available_bytes() == 0
