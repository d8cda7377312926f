"""Designs are asked for, trained and evaluated in batches: with workers that answer at once, in this process."""

from collections import Counter
from concurrent.futures import Future
from dataclasses import replace

import pytest
from build_run import EMULATION, plain_record

from dse import Choice, Integers, Options
from dse import worker as tasks
from dse.errors import StageFailed
from dse.metrics import Measurement
from dse.run import open_run
from dse.space import LayerShape
from dse.sweep.batches import batch_size, halves, leaders_first, network, networks_of
from dse.sweep.ledger import Ledger, write_study
from dse.sweep.loop import Sweeping
from dse.sweep.proposals import Exhaustive
from dse.sweep.sampling import Sampling
from dse.together import Prepared
from dse.view import view
from tests.tiny import STUDY

LAYERS = (LayerShape("fc1", 8, 8, weighted=True, activated=True), LayerShape("out", 8, 3, weighted=True, activated=False))
#: 20 networks with 3 reuse factors each.
SPACE = replace(
    STUDY.space, weight_bits=Integers(3, 7), activation_bits=Integers(3, 6), sparsity=0.0, reuse_factor=Choice(1, 2, 4)
)
WIDE = replace(STUDY, space=replace(SPACE, strategy="resource").resolved(LAYERS))
#: One network with 3 reuse factors.
ONE = replace(WIDE, space=replace(WIDE.space, weight_bits=5, activation_bits=5))


class Workers:
    """Takes tasks and does each when it is looked at, as the oldest first.

    `together` fails while `failing` says so, trials while `dying` does.
    """

    def __init__(self, jobs=2, failing=lambda designs, at_once: None, dying=lambda at_once: False):
        self.jobs, self.failing, self.dying = jobs, failing, dying
        self.trained, self.evaluated, self.most, self.tried = [], [], 0, []

    def submit(self, task, *given, timeout_s=None):
        future = Future()
        self.most = max(self.most, len(self.evaluated))
        try:
            future.set_result(getattr(self, task.__name__)(*given))
        except StageFailed as error:
            future.set_exception(error)
        return future

    def together(self, designs, at_once):
        self.tried.append((len(designs), at_once))
        kind = self.failing(designs, at_once)
        if kind is not None:
            raise StageFailed(kind, "no")
        self.trained.append(list(designs))
        return Prepared(made=len(designs))

    def evaluate(self, trial, design, at_once):
        if self.dying(at_once):
            self.tried.append((1, at_once))
            raise StageFailed("memory", "no")
        self.evaluated.append((trial, design))
        return replace(plain_record(trial, accuracy=0.9, lut=100, latency_ns=5, judge=WIDE.judge), design=design)

    def verify(self, record):
        return (), None


def swept(folder, study=WIDE, workers=None, ledger=None, trials=60):
    """A sweep with such workers; the workers and the ledger afterwards."""
    write_study(folder, {"v": 1, "name": study.name, "goals": study.goals.as_json()})
    workers, ledger = workers or Workers(), ledger or Ledger(folder)
    Sweeping(study, Options(root=folder, trials=trials, quiet=True), ledger, workers).go()
    return workers, ledger


def test_the_tasks_are_those_of_real_workers():
    """The names under which the fake answers are functions of the worker module."""
    assert all(callable(getattr(tasks, name)) for name in ("together", "evaluate", "verify"))


def test_a_space_is_trained_network_by_network_and_evaluated_design_by_design(tmp_path):
    """60 designs of 20 networks: every network is trained once, in one of two batches, every design evaluated once."""
    workers, ledger = swept(tmp_path)
    trained = Counter(network(design) for batch in workers.trained for design in batch)
    assert len(trained) == 20
    assert set(trained.values()) == {1}
    assert len(workers.trained) <= 3
    assert sorted(trial for trial, _ in workers.evaluated) == sorted(ledger.records) == list(range(60))
    assert len({design.digest for _, design in workers.evaluated}) == 60


def test_a_sampler_that_learns_is_asked_for_small_batches(tmp_path):
    """TPE sees results before it proposes the next: 20 trials come in batches of 4, never more than two under way."""
    workers, ledger = swept(tmp_path, replace(WIDE, sampler="tpe"), trials=20)
    assert max(len(batch) for batch in workers.trained) <= 4
    assert len(workers.trained) + len(workers.evaluated) >= 24
    assert len(ledger.records) == 20


def test_a_batch_that_its_worker_does_not_survive_is_trained_in_halves(tmp_path):
    """Nothing larger than 5 networks fits: batches shrink until they do, and later ones are asked for that small."""
    workers, ledger = swept(tmp_path, workers=Workers(failing=lambda designs, _: "memory" if len(designs) > 5 else None))
    assert {len(batch) for batch in workers.trained} <= {2, 3, 4, 5}
    assert len(ledger.records) == 60


def test_fewer_networks_at_once_are_told_to_the_training_and_not_only_asked_for(tmp_path):
    """A training fills its batches up to one size, whatever it is given: memory has room for 5 at once, the first batch is of
    20 networks. Each is trained once all the same, no fewer at once than fit, and later ones without another death.
    """
    workers, ledger = swept(
        tmp_path, workers=Workers(failing=lambda designs, at_once: "memory" if at_once is None or at_once > 5 else None)
    )
    assert workers.tried == [(20, None), (10, 10), (10, 10), (5, 5), (5, 5), (5, 5), (5, 5)]
    trained = Counter(network(design) for batch in workers.trained for design in batch)
    assert (len(trained), set(trained.values())) == (20, {1})
    assert len(ledger.records) == 60


def test_a_trial_that_memory_was_too_short_for_trains_its_network_alone(tmp_path):
    """The first attempt fills its batch up, as every training does; the second has the one network at once."""
    workers, ledger = swept(tmp_path, workers=Workers(dying=lambda at_once: at_once != 1), study=ONE, trials=3)
    assert workers.tried == [(1, None)] * 3
    assert [record.failure for record in ledger.records.values()] == [None] * 3


def test_a_batch_that_fails_whatever_its_size_is_left_to_the_trials(tmp_path):
    """Each trial then trains its own network, and says itself what is wrong."""
    workers, ledger = swept(tmp_path, workers=Workers(failing=lambda designs, at_once: "crash"))
    assert workers.trained == []
    assert len(ledger.records) == 60


def test_trials_that_were_under_way_are_trained_together_again_under_their_numbers(tmp_path):
    """After a kill in the midst of a batch: what was asked for comes first, and has one record each."""
    before = Ledger(tmp_path)
    designs = [design for n, design in enumerate(WIDE.space.designs()) if n % 3 == 0][:7]
    before.ask(*((trial, design, {}) for trial, design in enumerate(designs)))
    workers, ledger = swept(tmp_path, ledger=Ledger(tmp_path))
    assert [network(design) for design in designs] == [network(d) for batch in workers.trained for d in batch][:7]
    assert [ledger.records[trial].design for trial in range(7)] == designs
    assert len(ledger.records) == 60


def test_no_more_designs_are_begun_than_asked_for(tmp_path):
    """The target counts what is trained and what is evaluated."""
    for trials in (1, 2, 7):
        folder = tmp_path / str(trials)
        folder.mkdir()
        _, ledger = swept(folder, replace(WIDE, sampler="random"), trials=trials)
        assert len(ledger.asked) == len(ledger.records) == trials


def test_variants_of_one_network_do_not_wait_for_each_other(tmp_path):
    """The first variant of every network is evaluated before any second one."""
    batch = Ledger(tmp_path).ask(*((n, design, {}) for n, design in enumerate(WIDE.space.designs())))
    turns = Counter()
    seen = []
    for asked in leaders_first(batch):
        turns[network(asked.design)] += 1
        seen.append(turns[network(asked.design)])
    assert seen == sorted(seen)
    assert len(seen) == 60


def test_halves_keep_variants_of_a_network_together(tmp_path):
    """Each network is in one half only; nothing is lost."""
    batch = Ledger(tmp_path).ask(*((n, design, {}) for n, design in enumerate(WIDE.space.designs())))
    one, other = halves(batch)
    assert {network(a.design) for a in one}.isdisjoint({network(a.design) for a in other})
    assert (len(networks_of(one)), len(networks_of(other))) == (10, 10)
    assert sorted(a.trial for a in one + other) == list(range(60))


@pytest.mark.parametrize(("sampler", "target", "size"), [("tpe", 60, 6), ("nsga2", 1000, 24), ("tpe", 10, 4)])
def test_batches_of_samplers_that_learn(sampler, target, size):
    """A tenth of the trials, from 4 to 24."""
    found = Sampling(WIDE.space, WIDE.goals, sampler, 0)
    assert batch_size(found, target, 2) == size


def test_batches_leave_every_worker_its_share():
    """60 designs on two workers: 30; never more than pays."""
    found = Exhaustive(WIDE.space)
    assert batch_size(found, 100, 2) == 30
    found.size = 10**6
    assert batch_size(found, 10**6, 2) == 96


class Unproven(Workers):
    """No trial is emulated as it is built; emulating the front is more than the machine can do for the first `deaths` times."""

    def __init__(self, deaths):
        super().__init__()
        self.deaths, self.verified = deaths, []

    def evaluate(self, trial, design, at_once):
        record = super().evaluate(trial, design, at_once)
        return replace(record, measurements=(Measurement(EMULATION, {"accuracy": 0.9}), *record.measurements[1:]))

    def verify(self, record):
        self.verified.append(record.trial)
        if len(self.verified) <= self.deaths:
            raise StageFailed("memory", "no")
        return (Measurement(EMULATION, {"accuracy_test": 0.9, "agreement_test": 1.0}),), None


def test_a_design_of_the_front_that_the_machine_failed_is_emulated_once_more(tmp_path):
    """One worker's death leaves no design of the front without its emulation; two are left to the next start."""
    for deaths, left in ((3, 0), (6, 3)):
        folder = tmp_path / str(deaths)
        folder.mkdir()
        workers, _ = swept(folder, ONE, Unproven(deaths), trials=3)
        assert Counter(workers.verified) == {0: 2, 1: 2, 2: 2}
        assert len(view(open_run(folder)).unproven) == left
