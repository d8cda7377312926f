"""Many designs trained at once end as ordinary entries of the store."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dse import Choice, busy, worker
from dse.design import build
from dse.evaluate import evaluate
from dse.nn import compress, population, train
from dse.store import Store
from dse.together import together
from tests import tiny_trees
from tests.tiny import STUDY


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    found = Store(tmp_path)
    found.prepare()
    return found


def design(**changes):
    """A design of the tiny study."""
    knobs = {"weight_bits": 5, "activation_bits": 5, "sparsity": 0.5, "input_bits": 8, "reuse_factor": 1, "strategy": "latency"}
    return build({**knobs, **changes})


def made(store):
    """Stages that were published, in order."""
    path = store.folder / "made.jsonl"
    return [json.loads(line)["stage"] for line in path.read_text().splitlines()] if path.exists() else []


def test_designs_trained_together_are_found_by_their_evaluation(store):
    """Hardware variants share one network; nothing of it is trained again, and the evaluation is an ordinary one."""
    designs = [design(weight_bits=bits) for bits in ("ternary", 4, 5)] + [design(reuse_factor=2)]
    prepared = together(designs, STUDY, store)
    assert (prepared.made, prepared.known, prepared.alone, prepared.failed) == (3, 0, (), {})
    assert made(store) == ["train", "compress", "compress", "compress"]
    record = evaluate(0, designs[0], STUDY, store)
    assert record.failure is None, record.failure
    assert record.value("agreement") == 1.0
    assert record.value("dsp") == 0
    assert {record.effective[f"weight_type.{layer}"] for layer in ("fc1", "out")} == {"fixed<2,2>"}
    assert made(store)[4:] == ["convert", "emulate", "synthesize"]
    again = together(designs, STUDY, store)
    assert (again.made, again.known) == (0, 3)


def test_an_evaluation_alone_makes_the_same_entry(tmp_path, store):
    """The key says that the networks are trained together, so what is made without company must be the same."""
    one, others = design(), [design(weight_bits=bits) for bits in (3, 4, 6)]
    lonely = Store(tmp_path / "lonely")
    lonely.prepare()
    record = evaluate(0, one, STUDY, lonely)
    together([*others, one], STUDY, store)
    key = record.entries["compress"]
    ours, theirs = lonely.find("compress", key), store.find("compress", key)
    assert (ours.folder / "weights.npz").read_bytes() == (theirs.folder / "weights.npz").read_bytes()
    assert ours.data == theirs.data


def test_what_all_designs_begin_from_is_trained_ahead(store, monkeypatch):
    """A worker that has nothing to do yet makes the `train` entry that the first batch finds; once."""
    monkeypatch.setattr(worker, "_here", worker._Here(STUDY, store))
    worker.begin()
    assert made(store) == ["train"]
    worker.begin()
    worker.together([design(), design(weight_bits=4)], None)
    assert made(store) == ["train", "compress", "compress"]


def test_nothing_is_trained_ahead_where_nobody_knows_what_comes_first(store, monkeypatch):
    """Which of several architectures the sampler asks for is not known before it does; trees are trained in no time."""
    several = replace(STUDY.space, architecture={"width": Choice(4, 8)})
    for study in (replace(STUDY, space=several), tiny_trees.STUDY):
        monkeypatch.setattr(worker, "_here", worker._Here(study, store))
        worker.begin()
    assert made(store) == []


def test_illegal_designs_are_not_trained(store):
    """They get the failure that their evaluation would find, the others go on."""
    bad = design(reuse_factor=3, strategy="resource")
    prepared = together([bad, design()], STUDY, store)
    assert prepared.made == 1
    assert list(prepared.failed) == [bad.digest]
    failure = prepared.failed[bad.digest]
    assert (failure.stage, failure.kind) == ("check", "invalid")
    assert failure.message == evaluate(0, bad, STUDY, store).failure.message


def test_one_by_one_where_the_study_says_so(store):
    """Then nothing is made, and the reason is given."""
    study = replace(STUDY, workload=replace(STUDY.workload, training=replace(STUDY.workload.training, together=False)))
    prepared = together([design()], study, store)
    assert prepared.alone == ((design(), "the study's training says together=False"),)
    assert made(store) == []


def test_how_a_network_is_trained_is_a_cause_and_one_by_one_is_as_it_was(store):
    """Trained together or not are two keys; the one for training one by one is that of stores from before."""
    training = replace(STUDY.workload.training, together=False)
    alone = compress.causes(replace(STUDY.workload, training=training), design(), "base")
    both = compress.causes(STUDY.workload, design(), "base")
    assert both == alone | {"population": population.VERSION}
    assert set(alone) == {"version", "libraries", "base", "compression", "training"}
    assert set(alone["training"]) == {"epochs", "fine_tune_epochs", "batch_size", "learning_rate", "seed"}


def _wild(monkeypatch, number):
    """Let one member's learning rate be far too large."""
    train = population.train

    def wilder(topology, members, *rest):
        return train(topology, [replace(m, learning_rate=1e39) if i == number else m for i, m in enumerate(members)], *rest)

    monkeypatch.setattr(compress.population, "train", wilder)


def test_a_loss_that_is_no_number_fails_one_design(store, monkeypatch):
    """A failure of the design with its epoch, which is remembered: no trial trains it again. The others are published."""
    _wild(monkeypatch, 1)
    designs = [design(weight_bits=bits) for bits in (3, 4, 5)]
    prepared = together(designs, STUDY, store)
    assert prepared.made == 2
    (failure,) = prepared.failed.values()
    assert (failure.stage, failure.kind) == ("compress", "invalid")
    assert "in epoch 1 of 6" in failure.message
    monkeypatch.undo()
    assert evaluate(0, designs[1], STUDY, store).failure == failure
    again = together(designs, STUDY, store)
    assert (again.made, again.known, again.failed) == (0, 2, prepared.failed)


@pytest.mark.parametrize("together_", [True, False])
def test_a_learning_rate_of_its_own_is_that_of_the_fine_tuning(store, together_):
    """A design with the knob gets the weights that it would have in a study with that rate, from the same float network."""
    training = replace(STUDY.workload.training, together=together_)
    study = replace(STUDY, workload=replace(STUDY.workload, training=training))
    record, plain = (evaluate(0, one, study, store) for one in (design(learning_rate=1e-3), design()))
    folders = [store.path("compress", one.entries["compress"]) for one in (record, plain)]
    found, usual = (train.load_weights(folder / "weights.npz") for folder in folders)
    slower = replace(study.workload, training=replace(training, learning_rate=1e-3))
    expected = compress.compress(slower, design(), store.path("train", record.entries["train"]), folders[0].parent)
    assert expected["sparsity"]
    wanted = train.load_weights(folders[0].parent / "weights.npz")
    assert all(np.array_equal(a, b) for a, b in zip(found["fc1"], wanted["fc1"], strict=True))
    assert not np.array_equal(found["fc1"][0], usual["fc1"][0])


def test_a_rate_that_diverges_fails_its_design_alone(store):
    """Asked for by the knob, not forced from outside: the others of the batch are trained."""
    designs = [design(learning_rate=rate) for rate in (1e-3, 1e39, 3e-3)]
    prepared = together(designs, STUDY, store)
    assert prepared.made == 2
    assert [failure.kind for failure in prepared.failed.values()] == ["invalid"]
    assert "Try a smaller learning rate." in next(iter(prepared.failed.values())).message


def test_what_is_published_before_an_interruption_stays(store, monkeypatch):
    """Batches of two; the second does not come to its end: its members fail, and only they are trained the next time."""
    monkeypatch.setattr("dse.nn.population.memory.MOST", 2)
    designs = [design(weight_bits=bits) for bits in (3, 4, 5, 6)]
    whole = compress.together

    def broken(base, designs):
        batches = whole(base, designs)
        yield next(batches)
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(compress, "together", broken)
    prepared = together(designs, STUDY, store)
    assert prepared.made == 2
    assert set(prepared.failed) == {one.digest for one in designs[2:]}
    assert {failure.kind for failure in prepared.failed.values()} == {"crash"}
    monkeypatch.setattr(compress, "together", whole)
    again = together(designs, STUDY, store)
    assert (again.made, again.known, again.failed) == (2, 2, {})


def _exotic():
    from tf_keras import Sequential, layers, regularizers

    class Mine(regularizers.Regularizer):
        def __call__(self, x):
            return 0.0

        def get_config(self):
            return {}

    return Sequential([layers.Input((8,)), layers.Dense(3, kernel_regularizer=Mine(), name="out")])


def test_a_model_that_cannot_be_trained_together_is_named_by_its_layer(store):
    """It is trained one by one instead, as ever."""
    study = replace(STUDY, workload=replace(STUDY.workload, model=_exotic))
    prepared = together([design()], study, store)
    ((_, reason),) = prepared.alone
    assert reason == "layer out: its kernel_regularizer Mine has no form for many networks at once"
    record = evaluate(0, design(), study, store)
    assert record.failure is None, record.failure
    entry = store.find("compress", record.entries["compress"])
    assert sorted(path.name for path in entry.folder.iterdir()) == ["entry.json", "quantizers.json", "weights.npz"]


@pytest.mark.parametrize("together_", [True, False])
def test_no_epochs_leave_the_weights_as_they_are(store, together_):
    """Neither the float network nor what is made of it is trained."""
    training = replace(STUDY.workload.training, epochs=0, fine_tune_epochs=0, together=together_)
    study = replace(STUDY, workload=replace(STUDY.workload, training=training))
    record = evaluate(0, design(sparsity=0.0), study, store)
    assert record.failure is None, record.failure
    initial = train.build(study.workload, ()).get_layer("fc1").get_weights()
    found = train.load_weights(store.path("compress", record.entries["compress"]) / "weights.npz")
    assert all(np.array_equal(a, b) for a, b in zip(found["fc1"], initial, strict=True))


def test_each_epoch_is_told_while_it_lasts(store, tmp_path, monkeypatch):
    """Of the networks that are really trained: those that fill the batch do not count."""
    said, designs = [], [design(weight_bits=bits) for bits in (3, 4, 5)]
    write = busy._File.emit
    monkeypatch.setattr(busy._File, "emit", lambda self, record: (write(self, record), said.extend(busy.told(tmp_path))))
    with busy.telling(tmp_path):
        together(designs, STUDY, store)
    assert said == [f"training 3 networks, epoch {number}/6" for number in range(1, 7)]
