"""Data, their split, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import datasets
from dse.errors import DseError, UsageError
from dse.metrics import Score
from dse.workload import LARGEST, SHARES, Data, Training, Workload, check_positive, check_whole, split


def rows(*counts, width=3, seed=0):
    """Data with this many rows of each class, in mixed order; every row is different."""
    y = np.repeat(np.arange(len(counts)), counts)
    order = np.random.default_rng(seed).permutation(len(y))
    x = np.arange(len(y) * width, dtype=np.float32).reshape(len(y), width)
    return Data(x, y[order])


def parts(found):
    return found.train, found.validation, found.test


@settings(max_examples=60)
@given(st.lists(st.integers(5, 60), min_size=2, max_size=6), st.integers(0, 2**31 - 1))
def test_a_split_is_60_20_20_and_so_is_every_class_in_it(counts, seed):
    """Each row is in exactly one part with its own label; totals and classes are right to a row."""
    data = rows(*counts)
    found = split(data, seed)
    label = dict(zip(data.x[:, 0].tolist(), data.y.tolist(), strict=True))
    seen = [(row[0], y) for part in parts(found) for row, y in zip(part.x.tolist(), part.y.tolist(), strict=True)]
    assert sorted(seen) == sorted(label.items())
    assert sum(SHARES) == pytest.approx(1)
    for part, share in zip(parts(found), SHARES, strict=True):
        assert abs(len(part.y) - share * len(data.y)) <= 1
        expected = share * np.array(counts)
        assert (np.abs(np.bincount(part.y, minlength=len(counts)) - expected) <= 1.5).all()
    assert found.classes == len(counts)


def test_no_class_is_missing_from_any_part():
    """The smallest class that is let in, five rows, has rows in training, validation and test, whatever the seed."""
    data = rows(5, 5, 200, 7)
    for seed in range(50):
        for part in parts(split(data, seed)):
            assert set(part.y.tolist()) == {0, 1, 2, 3}


def test_the_same_seed_splits_the_same_way():
    """Another seed does not."""
    data = rows(30, 40)
    one, two, three = split(data, 1), split(data, 1), split(data, 2)
    assert all(np.array_equal(a.x, b.x) for a, b in zip(parts(one), parts(two), strict=True))
    assert not np.array_equal(one.test.x, three.test.x)


def test_a_fingerprint_tells_data_and_splits_apart():
    """Equal data and seed have the same one; one value, one label, the order, the shape or the seed change it."""
    data = rows(30, 40)
    x, y = data.x.copy(), data.y.copy()
    swapped = np.arange(70)
    swapped[:2] = [1, 0]
    first, second = (int(np.flatnonzero(y == label)[0]) for label in (0, 1))
    x[3, 1] = np.nextafter(x[3, 1], np.float32(99))
    y[[first, second]] = y[[second, first]]
    others = [
        split(Data(x, data.y), 1),
        split(Data(data.x, y), 1),
        split(Data(data.x[swapped], data.y[swapped]), 1),
        split(Data(data.x.reshape(70, 3, 1), data.y), 1),
        split(data, 2),
    ]
    prints = [found.fingerprint for found in others]
    assert split(rows(30, 40), 1).fingerprint == split(data, 1).fingerprint
    assert split(Data(data.x.astype(np.float64), data.y.astype(np.int8)), 1).fingerprint == split(data, 1).fingerprint
    assert len({split(data, 1).fingerprint, *prints}) == 1 + len(prints)


def test_data_are_kept_in_one_form():
    """float32 rows and int64 labels, whatever the user's types are."""
    data = Data([[0, 1], [1, 0]] * 10, np.array([0, 1] * 10, dtype=np.uint8))
    assert (data.x.dtype, data.y.dtype, data.classes) == (np.float32, np.int64, 2)


X = np.zeros((20, 2))
Y = np.arange(20) % 2


def hole(value):
    x = X.copy()
    x[7, 1] = x[9, 0] = value
    return x


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (hole(np.nan), Y, "2 rows of x hold NaN or infinity, the first is row 7. Clean them first"),
        (hole(np.inf), Y, "2 rows of x hold NaN or infinity"),
        (X, np.zeros(20, dtype=int), r"every class 0\.\.0 needs at least 5 rows to be split, got \[20\]"),
        (X, np.where(np.arange(20) < 4, 1, 0), r"every class 0\.\.1 needs at least 5 rows to be split, got \[16, 4\]"),
        (X, np.where(Y == 1, 2, 0), r"every class 0\.\.2 needs at least 5 rows .*got \[10, 0, 10\]"),
        (X, Y - 1, "integer class labels from 0, got labels from -1 to 0"),
        (X, Y / 2, r"integer class labels from 0, got float64 such as 0\.0"),
        (X, Y.astype(bool), "integer class labels from 0, got bool"),
        (X, np.array(["cat", "dog"] * 10), r"integer class labels from 0, got <U3 such as cat"),
        (X, Y[:19], r"x must be \(n, \.\.\.\) and y \(n,\) with n above 0, got x \(20, 2\) and y \(19,\)"),
        (X, np.eye(2)[Y], r"got x \(20, 2\) and y \(20, 2\)"),
        (X[:, 0], Y, r"got x \(20,\) and y \(20,\)"),
        (X[:0], Y[:0], r"got x \(0, 2\) and y \(0,\)"),
        (3.0, 1, r"got x \(\) and y \(\)"),
        ([["a", "b"]] * 20, Y, "x must be an array of numbers and y one of labels; numpy says: could not convert"),
        ([[1, 2], [3]] * 10, Y, "x must be an array of numbers"),
    ],
)
def test_data_that_cannot_be_learned_from_are_refused(x, y, said):
    """What is wrong, where, and what was got; never an error of numpy's own."""
    with pytest.raises(DseError, match=f"^data: .*{said}"):
        Data(x, y)


def test_images_are_data_too():
    """Rows of any shape."""
    assert split(Data(np.zeros((20, 4, 4, 1)), Y), 0).train.x.shape == (12, 4, 4, 1)


BUILT_IN = [(datasets.digits, (1797, 64), 10), (datasets.breast_cancer, (569, 30), 2)]


@pytest.mark.parametrize(("load", "shape", "classes"), BUILT_IN)
def test_built_in_data_sets(load, shape, classes):
    """Their size and range as their docstrings say; nothing is downloaded."""
    data = load()
    assert (data.x.shape, data.classes) == (shape, classes)
    if classes == 10:
        assert set(np.unique(data.x * 16)) == set(range(17))
    else:
        assert np.allclose(data.x.mean(axis=0), 0, atol=1e-5)
        assert np.allclose(data.x.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("value", [-1, 2**31, 1.0, True, "3", None])
def test_a_whole_number_is_checked(value):
    """Its name, its range and what was got."""
    with pytest.raises(UsageError, match=f"epochs must be a whole number from 0 to {LARGEST}, got {value!r}"):
        check_whole("epochs", value, 0)
    check_whole("epochs", 0, 0)
    check_whole("epochs", LARGEST, 0)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), True, "3", None])
def test_a_positive_number_is_checked(value):
    """NaN and infinity are no numbers to work with."""
    with pytest.raises(UsageError, match=f"rate must be a finite number above 0, got {value!r}"):
        check_positive("rate", value)
    check_positive("rate", 1e-9)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.where(np.arange(20) == 3, np.nan, np.arange(20)), "1 rows of y hold NaN or infinity, the first is row 3"),
        (np.where(np.arange(20) == 3, 1e39, np.arange(20)), "1 rows of y hold NaN or infinity"),  # no float32
        (np.ones(20), "column 0 of y is 1 in every row: nothing can be learned"),
        (np.arange(20.0)[:, None] * [1, 0], "column 1 of y is 0 in every row"),
        (np.array(["cat", "dog"] * 10), "y must be numbers for a regression; numpy says: could not convert"),
        (np.zeros((20, 2, 2)), r"y \(n,\) or \(n, k\) with n above 0, got x \(20, 2\) and y \(20, 2, 2\)"),
        (np.zeros((20, 0)), r"got x \(20, 2\) and y \(20, 0\)"),
    ],
)
def test_targets_that_cannot_be_learned_are_refused(y, said):
    """NaN, what float32 cannot hold, and columns that never change."""
    with pytest.raises(DseError, match=f"^data: .*{said}"), np.errstate(over="ignore"):
        Data(X, y, task="regression")


def test_a_regression_keeps_its_targets_as_columns():
    """(n,) becomes (n, 1); the split is 60/20/20, every row with its own target, and the model has an output per column."""
    y = np.random.default_rng(0).normal(size=50)
    data = Data(np.stack([y, -y], axis=1), y, task="regression")
    found = split(data, 3)
    assert [part.y.shape for part in parts(found)] == [(30, 1), (10, 1), (10, 1)]
    assert all((part.x[:, :1] == part.y).all() for part in parts(found))
    assert (found.outputs, found.classes, found.task) == ((1,), 0, "regression")
    two = split(Data(data.x, data.x, task="regression"), 3)
    assert two.outputs == (2,)
    assert len({found.fingerprint, two.fingerprint, split(data, 4).fingerprint}) == 3


def test_a_part_without_two_targets_is_refused():
    """One row that differs can be in one part only, and nothing can be said of the others."""
    with pytest.raises(DseError, match="rows have one value of y only, of which nothing can be said; give more rows"):
        split(Data(np.zeros((20, 2)), np.arange(20) == 0.0, task="regression"), 0)


def test_a_task_is_one_of_two():
    """Floats alone are no regression: labels read from a file often are floats."""
    with pytest.raises(DseError, match="task must be one of classification, regression, got 'ranking'"):
        Data(X, Y, task="ranking")
    with pytest.raises(DseError, match='Numbers to be met need task="regression"'):
        Data(X, Y / 2)
    with pytest.raises(DseError, match="each in some rows; got a label 4000000000 in 20 rows"):
        Data(X, Y + 3_999_999_999)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("heavy", "class_weights must be one number per class or \"balanced\", got 'heavy'"),
        (3.0, "class_weights must be one number per class"),
        ((1.0, 0.0), "each of training class_weights must be a finite number above 0, got 0.0"),
        ((1.0, float("nan")), "each of training class_weights must be a finite number above 0, got nan"),
    ],
)
def test_class_weights_are_checked_where_they_are_written(weights, said):
    """A class without weight would be a class without rows."""
    with pytest.raises(UsageError, match=said):
        Training(class_weights=weights)


def test_scores_have_names_of_their_own():
    """They are told by name everywhere; without any, the JSON is what it was."""
    recall = Score("recall", max, "max", "positives that were found")
    with pytest.raises(UsageError, match="each score needs a name of its own, got recall, recall"):
        Workload(datasets.digits, dict, scores=(recall, recall))
    with pytest.raises(UsageError, match="scores must be several of the kind Score in brackets, got"):
        Workload(datasets.digits, dict, scores=recall)
    plain = Workload(datasets.digits, dict)
    told = Workload(datasets.digits, dict, scores=[recall]).as_json()["scores"]
    assert "scores" not in plain.as_json()
    assert [(row["name"], row["better"]) for row in told] == [("recall", "max"), ("recall_test", "")]
    assert Training(class_weights=[1, 2]).as_json()["class_weights"] == (1.0, 2.0)
    assert "class_weights" not in Training().as_json()


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", -1), ("fine_tune_epochs", 2.5), ("batch_size", 0), ("seed", "one"), ("learning_rate", 0), ("epochs", True)],
)
def test_training_refuses_what_keras_would_trip_over(field, value):
    """Where the study is written, and not in a worker after the data have been loaded."""
    with pytest.raises(UsageError, match=f"training {field} must be"):
        Training(**{field: value})


def test_a_workload_wants_functions():
    """`data=digits()` instead of `data=digits` is the mistake that everyone makes once."""
    with pytest.raises(UsageError, match=r"workload: data must be a function, without brackets; got Data\("):
        Workload(data=datasets.digits(), model=dict)
    with pytest.raises(UsageError, match="workload: model must be a function"):
        Workload(data=datasets.digits, model=None)
    with pytest.raises(UsageError, match="workload split_seed must be a whole number"):
        Workload(datasets.digits, dict, split_seed=-1)


def test_a_workloads_json_needs_neither_data_nor_model():
    """It can be compared before anything heavy is loaded."""

    def never():
        raise AssertionError

    training = {"epochs": 7, "fine_tune_epochs": 20, "batch_size": 64, "learning_rate": 3e-3, "seed": 0}
    assert Training(epochs=7, together=False).as_json() == training
    found = Workload(never, never, Training(epochs=7), exact=False, split_seed=3).as_json()
    assert found == {
        "training": {**training, "together": True},
        "exact": False,
        "split_seed": 3,
    }
