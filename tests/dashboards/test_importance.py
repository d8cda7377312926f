"""Importance finds the knobs that matter, and says how far it can be trusted."""

from __future__ import annotations

import random

import numpy as np
import pytest
from build_run import build_run, goals, plain_record, write_run

from dashboards.importance import LEAST, importance
from dashboards.sight import look
from dse.goals import Objective
from dse.view import view

TWO = goals((Objective("accuracy"), Objective("lut")), ())


def made(tmp_path, lut, count=300, seed=0):
    """Designs with knobs a, b and c, evenly drawn, whose LUT follow a law."""
    draw = random.Random(seed)
    records = []
    for trial in range(count):
        a, b, c = draw.randrange(10), draw.choice(["x", "y"]), draw.randrange(1000)
        knobs = {"architecture.a": a, "architecture.b": b, "architecture.c": c, "reuse_factor": 1}
        records.append(plain_record(trial, accuracy=0.9 + 0.01 * draw.random(), lut=lut(a, b, c, draw), knobs=knobs))
    return importance(look(view(write_run(tmp_path, records, what=TWO))))


def share(found, knob, metric="lut"):
    return found.shares[found.knobs.index(f"architecture.{knob}"), found.metrics.index(metric)]


def test_what_decides_a_figure_has_nearly_all_of_it_and_what_does_not_nothing(tmp_path):
    """LUT that follow a alone."""
    found = made(tmp_path, lambda a, b, c, draw: 100 + 50 * a)
    assert found.knobs == ("architecture.a", "architecture.b", "architecture.c")
    assert found.explained[1] > 0.95
    assert share(found, "a") == pytest.approx(1, abs=0.1)
    assert share(found, "b") < 0.02
    assert share(found, "c") < 0.02


def test_noise_is_explained_by_nothing(tmp_path):
    """Accuracy drawn at random: the model says that it knows nothing, and no knob gets credit."""
    found = made(tmp_path, lambda a, b, c, draw: 100)
    assert found.explained[0] < 0.05
    assert found.shares[:, 0].max() < 0.05
    assert found.shares[:, 1].max() == 0  # LUT never differ


def test_a_stronger_effect_has_a_larger_share(tmp_path):
    """The second knob does more than the first."""
    found = made(tmp_path, lambda a, b, c, draw: 100 + 10 * a + (200 if b == "x" else 0))
    assert share(found, "b") > 3 * share(found, "a") > 0.05


def test_an_effect_that_needs_two_knobs_is_not_claimed(tmp_path):
    """Exclusive or: `explained` stays low, as the docstring promises."""
    found = made(tmp_path, lambda a, b, c, draw: 100 if (a < 5) == (b == "x") else 200)
    assert found.explained[1] < 0.1


def test_visiting_some_values_more_often_does_not_mislead(tmp_path):
    """A search that prefers a = 9 with b = "x": only a acts, and only a is credited."""
    draw = random.Random(1)
    records = []
    for trial in range(300):
        b = draw.choice("xy")
        a = draw.choice([9] * 8 + list(range(10))) if b == "x" else draw.randrange(10)
        records.append(plain_record(trial, accuracy=0.9, lut=100 + a, knobs={"architecture.a": a, "architecture.b": b}))
    found = importance(look(view(write_run(tmp_path, records, what=TWO))))
    assert share(found, "a") > 0.4
    assert share(found, "b") < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_knobs_share_no_more_than_is_explained(tmp_path, seed):
    """Few designs and much chance: a table that gives a knob 10 % where 0 % is explained contradicts itself."""
    found = made(tmp_path, lambda a, b, c, draw: 100 + 10 * a + draw.randrange(100), count=60, seed=seed)
    assert (found.shares.sum(axis=0) <= found.explained + 1e-9).all()
    assert share(found, "a") == found.shares[:, 1].max()


def test_too_few_designs_tell_nothing(tmp_path):
    """Nor do designs that are all alike."""
    assert made(tmp_path / "few", lambda a, b, c, draw: a, count=LEAST - 1) is None
    alike = [plain_record(n, accuracy=0.9, lut=n, knobs={"reuse_factor": 1}) for n in range(60)]
    assert importance(look(view(write_run(tmp_path / "alike", alike, what=TWO)))) is None


def test_it_says_the_same_twice(tmp_path):
    """A page that is drawn again shows the same bars."""
    sight = look(view(build_run(tmp_path, 120)))
    one, other = importance(sight), importance(sight)
    np.testing.assert_array_equal(one.shares, other.shares)
    assert one.explained == pytest.approx(other.explained)
    assert (one.shares >= 0).all()
