"""Ensembles against the libraries that trained them, and in fixed point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.bdt import convert, train
from dse.bdt.ensemble import ARRAYS, Ensemble
from dse.errors import DseError, StageFailed
from dse.fixed import quantise
from dse.nn.train import load_split
from dse.workload import Data, Trees
from tests.tiny import blobs


def two_classes():
    """Two clouds that overlap, of 60 and 20 rows: the mean label is far from one half."""
    rng = np.random.default_rng(2)
    y = np.repeat([0, 1], [60, 20])
    return Data(rng.normal(size=(80, 4)) + y[:, None], y)


def xgboost(**knobs):
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=6, max_depth=3, **knobs)


def gradient_boosting(**knobs):
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(n_estimators=6, max_depth=3, **knobs)


def forest(**knobs):
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=6, max_depth=3, **knobs)


def fitted(data, make, **knobs):
    workload = Trees(data, lambda: make(**knobs))
    split = load_split(workload)
    model = train.build(workload, ())
    model.fit(split.train.x, split.train.y)
    return split, model


@pytest.mark.parametrize("data", [two_classes, blobs])
@pytest.mark.parametrize("make", [xgboost, gradient_boosting, forest])
def test_an_ensemble_says_what_the_trained_model_says(data, make):
    """On rows that it has not seen: the same margins to within float32, the same class on every row."""
    split, model = fitted(data, make)
    ensemble = train.taken_apart(model, split)
    said = train.margins(model, split.test.x, train.outputs(split))
    assert np.allclose(ensemble.scores(split.test.x), said, atol=1e-5)
    chosen = (said[:, 0] > 0) if said.shape[1] == 1 else said.argmax(axis=1)
    assert np.array_equal(chosen, model.predict(split.test.x))
    assert ensemble.depth <= 3


@pytest.mark.parametrize("base_score", [None, 0.5, 0.1])
def test_xgboosts_constant_is_what_it_adds_itself(base_score):
    """Conifer 1.11 reads another constant out of the same model: the ranking stays, every threshold on scores is off."""
    split, model = fitted(two_classes, xgboost, base_score=base_score)
    ensemble = train.taken_apart(model, split)
    zero = ensemble.starting(np.zeros(1))
    margin = model.predict(split.validation.x, output_margin=True)
    assert ensemble.init[0] == pytest.approx(np.mean(margin - zero.scores(split.validation.x)[:, 0]), abs=1e-5)
    assert (abs(ensemble.init[0]) < 1e-6) == (base_score == 0.5)


def test_trees_that_are_not_what_the_model_predicts_are_a_mismatch():
    """Whatever a new version of a library changes in its trees does not pass as a constant."""
    split, model = fitted(two_classes, gradient_boosting)
    model.decision_function = lambda x: np.arange(len(x), dtype=float)
    with pytest.raises(StageFailed, match="differ from what it predicts by up to") as caught:
        train.taken_apart(model, split)
    assert caught.value.kind == "mismatch"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: xgboost().set_params(n_estimators=10_000), "n_estimators must give 1 to 1000 trees in all, got 10000"),
        (lambda: xgboost().set_params(max_depth=30), "max_depth must be a whole number from 1 to 10, got 30"),
        (lambda: forest().set_params(max_depth=None), "max_depth must be a whole number from 1 to 10, got None"),
        (lambda: xgboost(objective="reg:squarederror"), "objective must be None or 'binary:logistic' or .*squarederror"),
        (lambda: xgboost(booster="dart"), "booster must be None or 'gbtree', got 'dart'"),
        (lambda: gradient_boosting(loss="exponential"), "loss must be 'log_loss', got 'exponential'"),
        (lambda: None, "must return one of XGBClassifier, .*; got builtins.NoneType"),
        (dict, "got builtins.dict"),
        (lambda: 1 / 0, "raised ZeroDivisionError"),
        (lambda: __import__("nosuchlibrary"), r'Boosted trees need an extra: pip install "dse\[trees\]"'),
    ],
)
def test_what_cannot_be_converted_is_refused_before_it_is_trained(make, said):
    """From the classifier's settings alone: what, the rule, what was got."""
    with pytest.raises(DseError, match=said):
        train.build(Trees(two_classes, make), ())


def test_a_regression_and_images_are_refused():
    """By what they are, not by an error of the library."""
    y = np.random.default_rng(0).normal(size=50)
    with pytest.raises(DseError, match="boosted trees are classifiers here"):
        train.build(Trees(lambda: Data(np.zeros((50, 2)), y, task="regression"), xgboost), ())
    with pytest.raises(DseError, match=r"rows of numbers \(n, features\); the data has rows of shape \(4, 4\)"):
        train.build(Trees(lambda: Data(np.zeros((50, 4, 4)), np.arange(50) % 2), xgboost), ())


def test_settings_are_what_a_classifier_is_known_by():
    """Another learning rate is another key; the seed is fixed where the study leaves it open."""
    told = {train.identity(Trees(two_classes, lambda rate=rate: xgboost(learning_rate=rate)), ()) for rate in (0.1, 0.1, 0.3)}
    assert len(told) == 2
    assert train.build(Trees(two_classes, forest), ()).random_state == 0


def stump(threshold=0.25, left=-0.5, right=0.75, convention="<"):
    tree = {
        "feature": [0, -2, -2],
        "threshold": [threshold, 0, 0],
        "children_left": [1, -1, -1],
        "children_right": [2, -1, -1],
        "value": [0, left, right],
    }
    return Ensemble.of([(0, tree)], 1, convention)


def test_a_comparison_is_less_or_less_or_equal():
    """Xgboost goes left below the threshold, scikit-learn at it too."""
    x = np.array([[0.2], [0.25], [0.3]])
    assert stump().scores(x)[:, 0].tolist() == [-0.5, 0.75, 0.75]
    assert stump(convention="<=").scores(x)[:, 0].tolist() == [-0.5, -0.5, 0.75]


@settings(max_examples=60)
@given(st.floats(-300, 300, width=32), st.integers(4, 20))
def test_inputs_beyond_the_type_are_on_the_right_side_of_every_threshold(threshold, width):
    """Cut-off inputs change no decision; the type is the narrowest that holds."""
    for convention in ("<", "<="):
        ensemble = stump(threshold, convention=convention)
        try:
            kind = convert.input_type(ensemble, width)
        except StageFailed:
            assert abs(threshold) >= 2 ** (width - 1) - 2
            continue
        built = convert.quantised(ensemble, kind, convert.score_type(ensemble, 12))
        far = np.array([[-1e6], [1e6]])
        assert built.scores(quantise(far, kind))[:, 0].tolist() == [-0.5, 0.75]
        if kind.integer > 1:
            narrow = replace(kind, integer=kind.integer - 1)
            assert not narrow.low + narrow.step < threshold < narrow.high - narrow.step


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=6), st.floats(-4, 4))
def test_every_sum_fits_the_scores_type(leaves, init):
    """The lowest and the highest sum too, and the constant 1 that conifer multiplies by."""
    rows = [(0, _row(stump(left=a, right=b))) for a, b in leaves]
    ensemble = Ensemble.of(rows, 1, "<").starting(np.array([init]))
    kind = convert.score_type(ensemble, 16)
    low, high = convert.quantised(ensemble, convert.input_type(ensemble, 12), kind).bounds()
    assert kind.low <= low[0] <= high[0] <= kind.high
    assert kind.high >= 1
    with pytest.raises(StageFailed, match="result_width 3 is too small for scores from") as caught:
        convert.score_type(ensemble.starting(np.array([64.0])), 3)
    assert caught.value.kind == "invalid"


def _row(ensemble):
    names = {"children_left": "left", "children_right": "right"}
    return {key: getattr(ensemble, names.get(key, key)) for key in ("feature", "threshold", "value", *names)}


def test_an_ensemble_comes_back_from_its_arrays():
    """As a network keeps them: all as float64."""
    split, model = fitted(blobs, xgboost)
    ensemble = train.taken_apart(model, split)
    again = Ensemble.from_arrays({name: array.astype(np.float64) for name, array in ensemble.arrays.items()}, "<")
    assert set(ensemble.arrays) == set(ARRAYS)
    assert np.array_equal(again.scores(split.test.x), ensemble.scores(split.test.x))
