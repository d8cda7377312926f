"""What Optuna is told, and which designs come out."""

from __future__ import annotations

import random
import warnings

import pytest
from build_run import EMULATION, JUDGE, SYNTHESIS, VITIS, goals
from optuna.study import StudyDirection
from optuna.trial import TrialState

from dse.domains import Choice, EachLayer, Integers
from dse.errors import PASSING, PERMANENT
from dse.goals import Limit, Objective
from dse.legal import LayerShape
from dse.metrics import Measurement
from dse.record import Failure, Record
from dse.space import Space
from dse.study import DRAWING
from dse.sweep import sampling
from dse.sweep.sampling import PATIENCE, Sampling

SMALL = Space(Integers(3, 6), Choice(4, 8), strategy=Choice("latency", "resource"), clock_ns=5)  # 16 designs
WHAT = goals((Objective("lut"), Objective("accuracy")), (Limit("accuracy", at_least=0.8), Limit("lut", at_most=1000)))


def sampler(space=SMALL, kind="random", seed=0):
    return Sampling(space, WHAT, kind, seed)


def measured(design, accuracy=0.9, lut=500, trial=0, **more):
    figures = (Measurement(EMULATION, {"accuracy": accuracy}), Measurement(SYNTHESIS, {"lut": lut}, JUDGE))
    return Record(trial, design, {}, figures, **more)


def pruned(design):
    return Record(0, design, {}, (Measurement(EMULATION, {"accuracy": 0.6}),), pruned="accuracy >= 0.8")


def failed(kind):
    return lambda design: Record(0, design, failure=Failure("emulate", kind, "no"))


def unjudged(design):
    figures = (Measurement(EMULATION, {"accuracy": 0.9}), Measurement(SYNTHESIS, {"lut": 5}, VITIS))
    return Record(0, design, {}, figures)


KEPT = {"accuracy >= 0.8": -0.125, "lut <= 1000": -0.5}
UNKNOWN = {"accuracy >= 0.8": 0.0, "lut <= 1000": 0.0}
TABLE = {
    "measured, within limits": (measured, TrialState.COMPLETE, [500, 0.9], KEPT | {"buildable": 0}),
    "measured, a limit met exactly": (
        lambda design: measured(design, 0.8, 1000), TrialState.COMPLETE, [1000, 0.8], UNKNOWN | {"buildable": 0},
    ),
    "measured, over one limit": (
        lambda design: measured(design, lut=1500), TrialState.COMPLETE, [1500, 0.9],
        {"accuracy >= 0.8": -0.125, "lut <= 1000": 0.5, "buildable": 0},
    ),
    "measured, over both": (
        lambda design: measured(design, 0.6, 3000), TrialState.COMPLETE, [3000, 0.6],
        {"accuracy >= 0.8": 0.25, "lut <= 1000": 2, "buildable": 0},
    ),
    "stopped early": (
        pruned, TrialState.PRUNED, None, {"accuracy >= 0.8": 0.25, "lut <= 1000": 0, "buildable": 0},
    ),
    "an objective that this judge has not stated": (
        unjudged, TrialState.PRUNED, None, {"accuracy >= 0.8": -0.125, "lut <= 1000": 0, "buildable": 0},
    ),
    **{kind: (failed(kind), TrialState.PRUNED, None, UNKNOWN | {"buildable": 1}) for kind in PERMANENT},
    **{kind: (failed(kind), TrialState.FAIL, None, UNKNOWN | {"buildable": 0}) for kind in PASSING},
    "a failure that was found after the figures": (
        lambda design: measured(design, failure=Failure("verify", "mismatch", "0 %")),
        TrialState.PRUNED, None, KEPT | {"buildable": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("asked", [True, False], ids=["asked", "not asked"])
@pytest.mark.parametrize("row", TABLE)
def test_what_is_told_of_each_kind_of_record(row, asked):
    """State, objectives in their order and every constraint, whether this sampler proposed the design or not."""
    make, state, values, constraints = TABLE[row]
    found = sampler()
    design = found.ask() if asked else next(SMALL.designs())
    found.tell(make(design))
    (trial,) = found._study.trials
    assert (trial.state, trial.values) == (state, values)
    assert trial.constraints == pytest.approx(constraints)
    assert found._design(trial.params) == design


def test_directions_are_those_of_the_objectives():
    """Fewer LUT and more accuracy, whatever the sampler."""
    for kind in DRAWING:
        assert sampler(kind=kind)._study.directions == [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]


def test_optunas_front_is_ours():
    """Directions and constraints together: the best trials are the feasible records that no feasible one dominates."""
    pick, found = random.Random(3), sampler()
    records = []
    while (design := found.ask()) is not None:
        records.append(measured(design, pick.choice([0.7, 0.8, 0.9]), pick.choice([500, 700, 900, 1100])))
        found.tell(records[-1])
    points = {r.design: (r.value("lut"), -(r.value("accuracy") or 0)) for r in records if WHAT.feasible(r)}
    front = {
        design for design, p in points.items() if not any(q[0] <= p[0] and q[1] <= p[1] and q != p for q in points.values())
    }
    assert 0 < len(front) < len(points) < len(records)
    assert {found._design(trial.params) for trial in found._study.best_trials} == front


def mixed(design, number):
    makers = (measured, pruned, failed("tool"), failed("timeout"), lambda d: measured(d, lut=1500), unjudged)
    return makers[number % len(makers)](design)


@pytest.mark.parametrize("kind", DRAWING)
@pytest.mark.parametrize("at_once", [1, 3])
def test_a_small_space_ends_after_exactly_its_size(kind, at_once):
    """Every design once, then None for good; with several being evaluated, and whatever becomes of them."""
    found, running, seen = sampler(kind=kind), [], []
    while (design := found.ask()) is not None:
        seen.append(design)
        running.append(design)
        if len(running) == at_once:
            done = running.pop(0)
            found.tell(mixed(done, len(seen)))
    assert len(seen) == len(set(seen)) == SMALL.size == found.size == found.seen == 16
    assert set(seen) == set(SMALL.designs())
    assert found.ask() is None


@pytest.mark.parametrize("kind", DRAWING)
def test_a_space_of_one_design(kind):
    """Nothing is free, and there is something to ask for."""
    only = Space(4, 4)
    found = sampler(only, kind)
    assert found.ask() == only.design({})
    assert found.ask() is None


def propose(found, design, times=1):
    """Make Optuna's next proposals this design."""
    values = found._space.values(design)
    encoded = {name: sampling._encoded(found._free[name], value) for name, value in values.items()}
    for _ in range(times):
        found._study.enqueue_trial(encoded)


def test_a_duplicate_is_answered_with_what_is_known():
    """Its values are real: Optuna gets them again, the caller gets another design, nothing is evaluated twice."""
    found = sampler()
    first = found.ask()
    found.tell(measured(first, 0.9, 1500))
    propose(found, first)
    assert found.ask() != first
    original, duplicate, running = found._study.trials
    assert duplicate.params == original.params
    assert (duplicate.state, duplicate.values) == (TrialState.COMPLETE, [1500, 0.9])
    assert duplicate.constraints == original.constraints
    assert running.state == TrialState.RUNNING
    assert found.seen == 2


def test_a_duplicate_of_what_is_being_evaluated_is_not_answered():
    """Nothing is known of it yet, and nothing is invented: FAIL, from which no sampler learns."""
    found = sampler()
    first = found.ask()
    propose(found, first)
    second = found.ask()
    assert second not in (first, None)
    assert [trial.state for trial in found._study.trials] == [TrialState.RUNNING, TrialState.FAIL, TrialState.RUNNING]
    found.tell(measured(first))
    assert [trial.state for trial in found._study.trials] == [TrialState.COMPLETE, TrialState.FAIL, TrialState.RUNNING]


@pytest.mark.parametrize("times", [PATIENCE - 1, PATIENCE])
def test_after_so_many_duplicates_an_unseen_design_is_drawn(times):
    """The last try is still the sampler's; after it the design comes without one of Optuna's trials."""
    found = sampler()
    first = found.ask()
    found.tell(measured(first))
    propose(found, first, times)
    drawn = found.ask()
    assert drawn not in (first, None)
    states = [trial.state for trial in found._study.trials]
    patient = times < PATIENCE
    assert states == [TrialState.COMPLETE] * (1 + times) + [TrialState.RUNNING] * patient
    found.tell(measured(drawn, lut=700))
    assert [trial.values for trial in found._study.trials][-1] == [700, 0.9]
    assert len(found._study.trials) == 2 + times


def test_what_is_left_is_found_in_order_where_draws_do_not_meet_it(monkeypatch):
    """The last designs of a large space are not found by luck."""
    monkeypatch.setattr(sampling, "PATIENCE", 0)
    monkeypatch.setattr(sampling, "DRAWS", 0)
    found = sampler()
    assert [found.ask() for _ in range(17)] == [*SMALL.designs(), None]


def test_a_noted_design_is_not_proposed():
    """It is being evaluated on somebody else's word: the study's own designs, or trials of an earlier run."""
    found = sampler()
    mine = list(SMALL.designs())[:15]
    for design in mine:
        found.note(design)
        assert found.knows(design)
    left = found.ask()
    assert left not in mine
    assert found.ask() is None


def shown(found):
    return [(trial.state, trial.params, trial.values, trial.constraints) for trial in found._study.trials]


@pytest.mark.parametrize("kind", DRAWING)
def test_a_sampler_is_rebuilt_from_the_records(kind):
    """A resumed sweep knows what the first one knew: the same trials, and the other designs are still to come."""
    before, records = sampler(kind=kind), []
    for number in range(9):
        records.append(mixed(before.ask(), number))
        before.tell(records[-1])
    after = sampler(kind=kind, seed=7)
    after.replay(records)
    duplicates = [trial for trial in shown(before) if trial not in shown(after)]
    assert duplicates == []
    assert len(shown(after)) == 9
    assert after.seen == 9
    left = [after.ask() for _ in range(7)]
    assert {record.design for record in records} | set(left) == set(SMALL.designs())
    assert after.ask() is None


def test_records_of_another_space_are_left_out():
    """They teach nothing and do not count as designs of this space, which still ends after its own size."""
    other = Space(Integers(9, 12), Choice(4, 8), strategy=Choice("latency", "resource"), clock_ns=5)
    found = sampler()
    found.replay([measured(design) for design in other.designs()])
    found.note(next(other.designs()))
    found.tell(measured(next(other.designs())))
    assert (found.seen, len(found._study.trials)) == (0, 0)
    assert {found.ask() for _ in range(16)} == set(SMALL.designs())
    assert found.ask() is None


def test_a_wider_space_keeps_the_meaning_of_old_records():
    """Numbers are told by their place in the list, which shifts when the list grows at its lower end."""
    wider = Space(Integers(2, 8), Choice(4, 6, 8), strategy=Choice("latency", "resource", "resource_unrolled"), clock_ns=5)
    records = [measured(design, trial=number) for number, design in enumerate(SMALL.designs())]
    found = sampler(wider, "tpe")
    found.replay(records)
    assert [found._design(trial.params) for trial in found._study.trials] == [record.design for record in records]
    assert found.ask() not in [record.design for record in records]


@pytest.mark.parametrize("kind", DRAWING)
def test_the_same_seed_asks_for_the_same_designs(kind):
    """One worker, the same answers: a sweep can be repeated."""

    def asked(seed):
        found, designs = sampler(kind=kind, seed=seed), []
        for number in range(10):
            designs.append(found.ask())
            found.tell(mixed(designs[-1], number))
        return designs

    assert asked(1) == asked(1)
    assert asked(1) != asked(2)


def test_numbers_have_an_order_for_the_sampler_and_text_has_none():
    """Bit widths are near one another; strategies are not."""
    found = sampler()
    kinds = {name: type(distribution).__name__ for name, distribution in found._distributions.items()}
    assert kinds == {
        "weight_bits": "IntDistribution", "activation_bits": "IntDistribution", "strategy": "CategoricalDistribution",
    }  # fmt: skip


@pytest.mark.parametrize("kind", DRAWING)
def test_ternary_weights_have_a_place_among_the_widths(kind):
    """A number for the sampler, a word in the design; records of such designs are replayed."""
    space = Space(EachLayer(Choice("ternary", 4, 6)), 8, clock_ns=5).resolved((LayerShape("fc", 4, 4, True, False),))
    first = sampler(space, kind)
    assert type(first._distributions["weight_bits.fc"]).__name__ == "IntDistribution"
    designs = [first.ask() for _ in range(3)]
    assert {design.compression.weight_bits.of("fc") for design in designs} == {"ternary", 4, 6}
    again = sampler(space, kind)
    again.replay([measured(design) for design in designs])
    assert len(again._study.trials) == 3
    assert again.ask() is None


@pytest.mark.parametrize("kind", DRAWING)
def test_no_warning_of_optunas_reaches_the_user(kind):
    """Experimental features are our choice and not the user's worry."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sampler(kind=kind)
        for number in range(12):
            found.tell(mixed(found.ask(), number))
    assert found.seen == 12


def test_tpe_learns_from_the_front_and_the_newest_records(monkeypatch):
    """So its study does not grow with the sweep; every design is still proposed once, and the front is never forgotten."""
    monkeypatch.setattr(sampling, "REMEMBERED", 6)
    monkeypatch.setattr(sampling, "MORE", 2)
    space = Space(Integers(2, 16), Integers(2, 16), strategy=Choice("latency", "resource"), clock_ns=5)
    found, sizes = sampler(space, "tpe"), []
    ahead = found.ask()  # under way while others are forgotten
    proposed = [ahead]
    for i in range(60):
        proposed.append(found.ask())
        found.tell(measured(proposed[-1], 0.9, 100 + i, trial=i))
        sizes.append(len(found._study.get_trials(deepcopy=False)))
    found.tell(measured(ahead, 0.8, 900))
    assert len({one.digest for one in proposed}) == 61
    assert max(sizes) < 50
    values = [trial.values[0] for trial in found._study.get_trials(deepcopy=False) if trial.values]
    assert min(values) == 100
    assert {159, 900} <= set(values)


def test_what_is_remembered_is_the_front_then_the_newest():
    """No more than asked for, in the records' order; failures and what breaks a limit are no front."""
    designs = list(SMALL.designs())
    told = [(0.8, 100), (0.85, 200), (0.8, 300), (0.9, 1500), (0.8, 400), (0.8, 500), (0.8, 600)]
    records = [measured(designs[i], *figures, trial=i) for i, figures in enumerate(told)]
    records.append(failed("invalid")(designs[7]))
    kept = sampling.remembered(WHAT, records, 4)
    assert [records.index(one) for one in kept] == [0, 1, 6, 7]
    assert [records.index(one) for one in sampling.remembered(WHAT, records, 2)] == [1, 7]
    assert sampling.remembered(WHAT, records, 100) == records
    assert sampling.remembered(WHAT, [], 4) == []


def test_tpe_asks_once_for_a_design_that_is_new(monkeypatch):
    """Near the best designs most of its candidates are known: the best of the others is proposed."""
    space = Space(Integers(2, 16), Integers(2, 16), strategy=Choice("latency", "resource"), clock_ns=5)

    def proposals(designs=100):
        found = sampler(space, "tpe")
        for number in range(designs):
            design = found.ask()
            bits = [knob.number("") for knob in (design.compression.weight_bits, design.compression.activation_bits)]
            found.tell(measured(design, 1 - sum(2.0**-n for n in bits), 100 * sum(bits), trial=number))
        return len(found._study.get_trials(deepcopy=False))

    assert proposals() == 100
    monkeypatch.setattr(Sampling, "_met", lambda *_: False)
    assert proposals() > 120
