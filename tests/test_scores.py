"""Scores of outputs, against scikit-learn and by hand; what a study's own functions may do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error, r2_score, roc_auc_score

from dse.errors import DseError, StageFailed
from dse.metrics import METRICS, Score
from dse.scores import SCORES, measure, probe, row_weights
from dse.workload import Data, Training, split

RNG = np.random.default_rng(5)


def test_every_score_is_a_metric_with_its_variants():
    """A score that METRICS does not know could not be kept in a record."""
    for task, table in SCORES.items():
        for name in table:
            assert METRICS[name].better
            assert METRICS[f"{name}_test"].sealed
            assert METRICS[f"{name}_float"].unit == METRICS[name].unit
        assert METRICS[f"{next(iter(table))}_n"].whole, task


def labels(seed, classes, rows=60):
    """Labels with at least one row of each class."""
    return np.random.default_rng(seed).permutation(np.arange(rows) % classes)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 6), st.sampled_from([0.05, 1.0, 40.0]), st.booleans())
def test_auc_is_that_of_scikit_learn(seed, classes, scale, coarse):
    """Logits of any scale, with ties (fixed-point outputs have many): one class against the rest, mean of classes."""
    y = labels(seed, classes)
    logits = np.random.default_rng(seed + 1).normal(size=(60, classes)) * scale
    logits = np.round(logits) if coarse and scale < 2 else logits
    others = [np.delete(logits, k, axis=1) for k in range(classes)]
    odds = np.stack([logits[:, k] - np.logaddexp.reduce(others[k], axis=1) for k in range(classes)], axis=1)
    odds = np.round(odds, 9)  # what differs by rounding alone is a tie
    each = [roc_auc_score(y == k, odds[:, k]) for k in range(classes)]
    assert measure(logits, y, "classification")["auc"] == pytest.approx(np.mean(each), abs=1e-12)
    if scale < 2 and classes > 2 and not coarse:  # where softmax does not saturate, its probabilities say the same
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        official = roc_auc_score(y, chances, multi_class="ovr", average="macro")
        assert measure(logits, y, "classification")["auc"] == pytest.approx(official, abs=1e-12)


@given(st.integers(0, 10**6), st.booleans())
def test_one_logit_says_what_two_say(seed, coarse):
    """A single output z and the pair (0, z) are the same classifier; 0 itself is class 0, as argmax has it."""
    y = labels(seed, 2)
    z = np.random.default_rng(seed).normal(size=(60, 1))
    z = np.round(z) if coarse else z
    found = measure(z, y, "classification")
    assert found == measure(np.hstack([np.zeros_like(z), z]), y, "classification")
    assert found["auc"] == pytest.approx(roc_auc_score(y, z[:, 0]), abs=1e-12)
    assert found["accuracy"] == np.mean((z[:, 0] > 0) == y)
    assert found["accuracy_n"] == 60


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_regression_scores_are_those_of_scikit_learn(seed, columns):
    """Mean squared error and explained variance over several targets."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(30, columns)).astype(np.float32)
    outputs = y + rng.normal(size=y.shape)
    assume((y.min(axis=0) < y.max(axis=0)).all())
    found = measure(outputs, y, "regression", suffix="_test")
    assert list(found) == ["mse_test", "r2_test", "mse_test_n"]
    assert found["mse_test"] == pytest.approx(mean_squared_error(y, outputs), rel=1e-9)
    assert found["r2_test"] == pytest.approx(r2_score(y, outputs), rel=1e-9)


def broken(outputs, y):
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (broken, "score mine: the study's function raised RuntimeError: boom"),
        (lambda outputs, y: float("nan"), "score mine: the study's function returned nan; it must be a finite number"),
        (lambda outputs, y: -np.inf, "returned -inf"),
        (lambda outputs, y: outputs, "raised TypeError"),
        (lambda outputs, y: None, "raised TypeError"),
    ],
)
def test_a_score_of_ones_own_that_is_no_number_is_a_typed_failure(function, said):
    """Of the design in a trial, of the study before the first one."""
    own = (Score("mine", function, "max", "anything"),)
    y = labels(0, 2)
    with pytest.raises(StageFailed, match=said) as caught:
        measure(RNG.normal(size=(60, 2)), y, "classification", own)
    assert caught.value.kind == "invalid"
    with pytest.raises(DseError, match=rf"{said}.*Tried on random outputs \(12, 2\)"):
        probe(own, split(Data(np.zeros((60, 1)), y), 0), 2)


def test_a_score_of_ones_own_cannot_change_what_others_are_computed_from():
    """Functions get copies; each figure has the study's name with the suffix of its rows."""

    def spoils(outputs, y):
        outputs[:] = 0
        y[:] = 0
        return 7

    own = (Score("spoils", spoils, "min", "nothing"), Score("mean", lambda outputs, y: outputs.mean() + y.sum(), "max", "-"))
    outputs, y = RNG.normal(size=(60, 2)), labels(1, 2)
    found = measure(outputs, y, "classification", own, "_test")
    assert found["spoils_test"] == 7
    assert found["mean_test"] == outputs.mean() + y.sum()


def test_another_function_leaves_another_mark():
    """The probe's value tells a study whose function was changed from the one that was swept; comments change nothing."""
    data = split(Data(np.zeros((60, 1)), labels(0, 2)), 0)
    first, second = (Score("mine", lambda outputs, y, p=p: np.mean(np.abs(outputs) ** p), "max", "-") for p in (1, 2))
    assert probe((first,), data, 2) == probe((first,), data, 2) != probe((second,), data, 2)
    assert probe((), data, 2) == {}


def test_class_weights_reach_every_row():
    """Balanced ones give each class the same sum; the mean weight is 1."""
    y = np.repeat([0, 1, 2], [10, 30, 60])
    found = row_weights(Training(class_weights="balanced"), y, 3)
    assert np.bincount(y, weights=found) == pytest.approx([100 / 3] * 3, rel=1e-6)
    assert row_weights(Training(class_weights=(1, 2, 0.5)), y, 3).tolist() == [1] * 10 + [2] * 30 + [0.5] * 60
    assert row_weights(Training(), y, 3) is None
    with pytest.raises(DseError, match="class_weights: one number per class, 3 of them; got 2"):
        row_weights(Training(class_weights=(1, 2)), y, 3)
    with pytest.raises(DseError, match="a regression has none"):
        row_weights(Training(class_weights="balanced"), np.zeros((5, 1)), 0)
