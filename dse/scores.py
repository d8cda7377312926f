"""How good outputs are: the scores of classifications and regressions, and those of a study's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from dse.errors import DseError, StageFailed
from dse.metrics import Score
from dse.workload import Split, Training


def chosen(outputs: np.ndarray) -> np.ndarray:
    """The class of each row of logits (n, k); of a single logit the sign decides."""
    return np.asarray(outputs[:, 0] > 0 if outputs.shape[1] == 1 else outputs.argmax(axis=1), dtype=np.int64)


def accuracy(outputs: np.ndarray, y: np.ndarray) -> float:
    """The share of rows (n, k) that are given their label's class."""
    return float(np.mean(chosen(outputs) == y))


def auc(outputs: np.ndarray, y: np.ndarray) -> float:
    """Area under the ROC curve of logits (n, k): each class against the rest, then the mean over classes.

    Rows are ranked by a class' log-odds, which order like softmax' probabilities and never saturate.
    """
    logits = np.hstack([-outputs, outputs]) if outputs.shape[1] == 1 else outputs
    areas = []
    for label in range(logits.shape[1]):
        others = np.sort(np.delete(logits, label, axis=1), axis=1)  # in order: equal rows stay equal, whatever is rounded
        top = others[:, -1]
        rest = np.log(np.exp(others - top[:, None]).sum(axis=1))
        areas.append(_area((logits[:, label] - top) - rest, y == label))
    return float(np.mean(areas))


def _area(score: np.ndarray, positive: np.ndarray) -> float:
    """The chance that a positive row scores above a negative one, ties counted half (Mann-Whitney)."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n = int(positive.sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(positive) - n)))


def mse(outputs: np.ndarray, y: np.ndarray) -> float:
    """Mean squared error of outputs (n, k) against targets (n, k)."""
    return float(np.mean((outputs - y.astype(np.float64)) ** 2))


def r2(outputs: np.ndarray, y: np.ndarray) -> float:
    """The share of the variance of targets (n, k) that outputs (n, k) explain, mean over columns; below 0: none at all."""
    targets = y.astype(np.float64)
    left = ((outputs - targets) ** 2).sum(axis=0)
    return float(np.mean(1 - left / ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)))


#: The scores of each task; the first one's name also says how many rows there were (`accuracy_n`).
SCORES: Mapping[str, Mapping[str, Callable[[np.ndarray, np.ndarray], float]]] = {
    "classification": {"accuracy": accuracy, "auc": auc},
    "regression": {"mse": mse, "r2": r2},
}


def measure(outputs: np.ndarray, y: np.ndarray, task: str, own: tuple[Score, ...] = (), suffix: str = "") -> dict[str, float]:
    """All scores of float64 outputs (n, n_out) by metric name; `suffix` ("_test", "_float") ends the names.

    StageFailed("invalid") where a score of the study's own is not a number.
    """
    found: dict[str, float] = {f"{name}{suffix}": score(outputs, y) for name, score in SCORES[task].items()}
    found[f"{next(iter(found))}_n"] = len(y)
    return found | {f"{score.name}{suffix}": _own(score, outputs, y) for score in own}


def _own(score: Score, outputs: np.ndarray, y: np.ndarray) -> float:
    try:
        value = float(score.function(outputs.copy(), y.copy()))
    except MemoryError:
        raise
    except Exception as error:
        raise StageFailed(
            "invalid", f"score {score.name}: the study's function raised {type(error).__name__}: {error}"
        ) from error
    if not math.isfinite(value):
        raise StageFailed("invalid", f"score {score.name}: the study's function returned {value}; it must be a finite number.")
    return value


def probe(own: tuple[Score, ...], data: Split, n_out: int) -> dict[str, float]:
    """The study's own scores of made-up outputs (standard normal): a proof that they work, and a mark of what they compute.

    DseError where one raises or returns something else than a finite number, before anything is trained.
    """
    outputs = np.random.default_rng(0).normal(size=(len(data.validation.y), n_out))
    try:
        return {score.name: _own(score, outputs, data.validation.y) for score in own}
    except StageFailed as error:
        raise DseError(f"{error.message} (Tried on random outputs {outputs.shape} and the validation rows' y.)") from error


def row_weights(training: Training, y: np.ndarray, classes: int) -> np.ndarray | None:
    """What each row's loss is multiplied by (n,), or None without class weights; DseError where they do not fit the data."""
    if training.class_weights is None:
        return None
    if classes == 0:
        raise DseError("class_weights are for classes; a regression has none.")
    if training.class_weights == "balanced":
        counts = np.bincount(y, minlength=classes)
        weights = len(y) / (classes * counts)
    else:
        weights = np.array(training.class_weights, dtype=np.float64)
    if len(weights) != classes:
        raise DseError(f"class_weights: one number per class, {classes} of them; got {len(weights)}.")
    return np.asarray(weights[y], dtype=np.float32)
