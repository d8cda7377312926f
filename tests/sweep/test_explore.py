"""Whole sweeps with real workers: targets, small spaces, resumption, failures of designs and of the machine."""

import json
import os
from dataclasses import dataclass, replace

import pytest

from dse import Choice, Integers, Limit, Options, explore
from dse.errors import DseError, UsageError
from dse.metrics import Judge, Measurement, Source
from dse.run import RECORDS_FILE, STUDY_FILE, open_run
from dse.view import view
from tests.tiny import STUDY

#: Reuse factors make variants of one trained model: quick to sweep.
SPACE = replace(STUDY.space, weight_bits=5, activation_bits=5, sparsity=0.0, reuse_factor=Choice(1, 2, 4), strategy="latency")
QUICK = replace(STUDY, space=SPACE)


@dataclass(frozen=True)
class Troubled:
    """A synthesizer that does to its process what `troubles` says for the reuse factor of the design."""

    troubles: tuple[tuple[int, str], ...]

    def judge(self, part, clock_ns):
        return Judge("troubled", "test", "1", "estimated", part, clock_ns)

    def causes(self, network):
        return {"network": network.digest, "troubles": self.troubles}

    def synthesize(self, network, project, folder):
        import ctypes
        import signal
        import time

        from dse.errors import StageFailed

        match dict(self.troubles).get(network.multipliers[0].reuse_factor):
            case "segfault":
                ctypes.string_at(0)
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(3600)
            case "refused":
                raise StageFailed("tool", "unroll limit exceeded", "the whole log")
            case "swollen":  # room for two designs
                signal.held = getattr(signal, "held", 0) + 1
                if signal.held > 2:
                    raise MemoryError
            case "bug":
                raise ZeroDivisionError("in our own code")
        values = {"lut": 100.0 / network.multipliers[0].reuse_factor, "latency_ns": 5.0 * network.multipliers[0].reuse_factor}
        return Measurement(Source("synthesize", "test", "1", "estimated"), values, self.judge(network.part, network.clock_ns))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One root, so that the tests share trained networks and compiled emulations; each sweeps a study of its own name."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture
def named(request):
    """A function that gives a study this test's name."""
    return lambda study: replace(study, name=request.node.name)


def swept(study, root, **options):
    """Sweep quietly."""
    return explore(study, Options(root=root, quiet=True, jobs=2, **options))


def rows(folder, kind):
    """Journal rows of one kind."""
    lines = (folder / "records.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if row["kind"] == kind]


def test_a_small_space_ends_when_nothing_is_left(root, named):
    """Three designs, ten wanted: all three have a record, the end says so, and the front is emulated as built."""
    study = named(QUICK)
    found = swept(study, root, trials=10)
    assert found.reason == "space exhausted: 3 of 3 designs"
    assert len(found.run.records) == 3
    front = view(found.run).front
    assert front
    assert all(standing.record.value("agreement_test") == 1.0 for standing in front)
    again = swept(study, root, trials=10)
    assert again.reason == found.reason
    assert [r.trial for r in again.run.records] == [r.trial for r in found.run.records]
    assert len(rows(found.run.folder, "asked")) == 3


def test_more_trials_go_on_and_the_same_number_does_nothing(root, named):
    """`--trials` is the total, not an addition; a resumed sweep asks for new designs only."""
    wide = replace(
        STUDY, first=({"weight_bits": 6, "activation_bits": 4, "sparsity": 0.5, "reuse_factor": 1, "strategy": "latency"},)
    )
    folder = swept(wide, root, trials=2).run.folder
    first = rows(folder, "record")
    assert len(first) == 2
    assert any(row["knobs"]["weight_bits"] == 6 and row["knobs"]["sparsity"] == 0.5 for row in first)
    swept(wide, root, trials=2)
    assert rows(folder, "record") == first
    swept(wide, root, trials=4)
    digests = [row["digest"] for row in rows(folder, "record")]
    assert len(digests) == 4
    assert len(set(digests)) == 4


def test_another_study_in_the_same_folder_is_refused_with_the_difference(root, named):
    """A changed space, data or model is another sweep; `--extend` admits a wider space and nothing else."""
    study = named(QUICK)
    swept(study, root, trials=1)
    narrower = replace(study, space=replace(SPACE, reuse_factor=Choice(1, 2)))
    with pytest.raises(UsageError, match=r"space\.reuse_factor: \[1, 2, 4\] -> \[1, 2\]"):
        swept(narrower, root, trials=2)
    with pytest.raises(UsageError, match="another study"):
        swept(narrower, root, trials=2, extend=True)
    wider = replace(study, space=replace(SPACE, weight_bits=Integers(5, 6)))
    with pytest.raises(UsageError, match="--extend"):
        swept(wider, root, trials=2)
    assert len(swept(wider, root, trials=2, extend=True).run.records) == 2
    other = replace(wider, workload=replace(wider.workload, split_seed=1))
    with pytest.raises(UsageError, match="data"):
        swept(other, root, trials=3, extend=True)


def test_a_study_of_which_nothing_was_tried_may_be_changed(root, named):
    """A first design that lacks a knob is named before anything is kept; so long as there is no trial, any study may begin."""
    study = named(replace(STUDY, space=SPACE, first=({"weight_bits": 5},)))
    with pytest.raises(UsageError, match=r"design 1 of first=: a design of this space needs a value for reuse_factor"):
        swept(study, root, trials=1)
    assert not (root / study.name / STUDY_FILE).exists()
    folder = swept(replace(study, first=()), root, trials=1).run.folder
    (folder / RECORDS_FILE).write_text("")
    found = swept(replace(study, first=(), space=replace(SPACE, reuse_factor=Choice(1, 2))), root, trials=1)
    assert found.reason == "target reached: 1 design has a record"


def test_a_design_that_kills_or_hangs_its_worker_is_a_record_and_the_sweep_goes_on(root, named):
    """A segfault, an out-of-memory kill and a hang become typed failures after a second try; the others are measured."""
    trouble = Troubled(((2, "segfault"), (4, "killed"), (8, "hang"), (16, "refused"), (32, "bug")))
    space = replace(SPACE, reuse_factor=Choice(1, 2, 3, 4, 5, 8, 16, 32))
    swept(named(QUICK), root, trials=3)  # trained and compiled before the clock of the next sweep ticks
    study = replace(named(QUICK), name="troubled", space=space, synthesizer=trouble, timeout_s=15.0)
    found = swept(study, root, trials=8)
    kinds = {r.design.hardware.reuse_factor.default: r.failure and (r.failure.kind, r.failure.stage) for r in found.run.records}
    assert kinds == {
        1: None,
        2: ("crash", "worker"),
        3: None,
        4: ("memory", "worker"),
        5: None,
        8: ("timeout", "worker"),
        16: ("tool", "synthesize"),
        32: ("crash", "synthesize"),
    }
    refused = next(r for r in found.run.records if r.failure is not None and r.failure.kind == "tool")
    assert refused.failure.log == "the whole log"
    assert len(rows(found.run.folder, "record")) == 8


def test_the_machine_failing_again_and_again_stops_the_sweep_with_the_reason(root, named):
    """Three failures of one passing kind in a row are not the designs' fault; nothing that was recorded is lost."""
    study = replace(named(QUICK), space=replace(SPACE, reuse_factor=Choice(*range(1, 9))))
    broken = replace(study, synthesizer=Troubled(tuple((n, "killed") for n in range(1, 9))))
    with pytest.raises(DseError, match="3 trials in a row failed with 'memory'"):
        swept(broken, root, trials=8)
    run = open_run(root / study.name)
    assert len(run.records) >= 3
    assert {r.failure.kind for r in run.records} == {"memory"}


def test_a_worker_without_memory_is_replaced(root, named):
    """What it holds would be in the way of the second attempt and of every design after that."""
    study = replace(named(QUICK), synthesizer=Troubled(tuple((n, "swollen") for n in (1, 2, 4))))
    found = explore(study, Options(root=root, quiet=True, jobs=1, trials=3))
    assert [record.failure for record in found.run.records] == [None] * 3
    log = (found.run.folder / "sweep.log").read_text()
    assert log.count("out of memory; this worker ends") == 1
    assert log.count("memory (the worker was refused the memory that it asked for") == 1


def test_failures_are_tried_again_on_request_under_the_same_number(root, named):
    """`--retry-failed` forgets failures of that kind, remembered ones too; the last record of a trial counts."""
    study = replace(named(QUICK), synthesizer=Troubled(((2, "refused"),)))
    found = swept(study, root, trials=3)
    failed = [r.trial for r in found.run.records if r.failure is not None]
    assert len(failed) == 1
    before = len(rows(found.run.folder, "record"))
    again = swept(study, root, trials=3, retry_failed=("tool",))
    assert len(rows(found.run.folder, "record")) == before + 1
    assert [r.trial for r in again.run.records if r.failure is not None] == failed
    assert sorted(r.trial for r in again.run.records) == [0, 1, 2]


def test_hopeless_designs_are_pruned_and_nothing_feasible_is_said_to_be_none(root, named):
    """A limit that no design keeps: every record says which limit it breaks, the front is empty."""
    strict = replace(named(QUICK), limits=(Limit("accuracy", at_least=1.0001),))
    found = swept(strict, root, trials=2)
    assert {record.pruned for record in found.run.records} == {"accuracy >= 1.0001"}
    assert view(found.run).front == ()


@pytest.mark.parametrize("sampler", ["nsga2", "random"])
def test_other_samplers_sweep_as_well(root, named, sampler):
    """NSGA-II and random propose designs of the same space."""
    found = swept(replace(named(QUICK), sampler=sampler), root, trials=2)
    assert len({r.design.digest for r in found.run.records}) == 2


def test_a_relative_root_is_as_good_as_an_absolute_one(root, named, monkeypatch):
    """The default root is `runs`, here: tools that run elsewhere must find it all the same."""
    monkeypatch.chdir(root)
    found = swept(replace(named(QUICK), workload=replace(QUICK.workload, split_seed=5)), "relative", trials=1)
    assert [record.failure for record in found.run.records] == [None]
    assert (root / "relative/store/libraries").is_dir()


@pytest.mark.slow
def test_a_sweep_begun_one_by_one_goes_on_so(root, named):
    """As all were once: the record's networks stay those that its figures are of, and new ones are trained the same way."""
    alone = replace(STUDY.workload, training=replace(STUDY.workload.training, together=False))
    swept(replace(named(QUICK), workload=alone), root, trials=1)
    swept(named(QUICK), root, trials=2)
    records = open_run(root / named(QUICK).name).records
    assert len(records) == 2
    (key,) = {record.entries["compress"] for record in records}
    causes = json.loads((root / f"store/compress/{key[:2]}/{key}/entry.json").read_text())["causes"]
    assert "population" not in causes
