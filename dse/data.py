"""Data to be learned from: rows with labels or targets, checked, and split by purpose with a fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from dse.errors import DseError

if TYPE_CHECKING:
    import numpy as np

#: Shares of training, validation and test rows.
SHARES = (0.6, 0.2, 0.2)
Task = Literal["classification", "regression"]
TASKS: tuple[str, ...] = ("classification", "regression")


@dataclass(frozen=True)
class Data:
    """Rows with what is to be learned of them: `x` (n, ...) float and `y`; DseError for anything else.

    Classification: `y` (n,) integer class labels 0..k-1. Regression: `y` (n,) or (n, k) numbers, kept as (n, k).
    """

    x: np.ndarray
    y: np.ndarray
    task: Task = "classification"

    def __post_init__(self) -> None:
        import numpy as np

        if self.task not in TASKS:
            raise DseError(f"data: task must be one of {', '.join(TASKS)}, got {self.task!r}.")
        try:
            x, y = np.asarray(self.x, dtype=np.float32), np.asarray(self.y)
        except (TypeError, ValueError) as error:
            raise DseError(f"data: x must be an array of numbers and y one of labels; numpy says: {error}.") from error
        shapes = ("(n,)",) if self.task == "classification" else ("(n,)", "(n, k)")
        if x.ndim < 2 or y.ndim not in range(1, len(shapes) + 1) or len(x) != len(y) or y.size == 0:
            wanted = " or ".join(shapes)
            raise DseError(f"data: x must be (n, ...) and y {wanted} with n above 0, got x {x.shape} and y {y.shape}.")
        if not np.isfinite(x).all():
            rows = np.flatnonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1))
            raise DseError(f"data: {len(rows)} rows of x hold NaN or infinity, the first is row {rows[0]}. Clean them first.")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", _labels(y) if self.task == "classification" else _targets(y))

    @property
    def classes(self) -> int:
        """How many classes there are; 0 for a regression."""
        return int(self.y.max()) + 1 if self.task == "classification" else 0


def _labels(y: np.ndarray) -> np.ndarray:
    import numpy as np

    if not np.issubdtype(y.dtype, np.integer):
        advice = ' Numbers to be met need task="regression".' if np.issubdtype(y.dtype, np.floating) else ""
        raise DseError(f"data: y must be integer class labels from 0, got {y.dtype} such as {y[0]}.{advice}")
    if y.min() < 0:
        raise DseError(f"data: y must be integer class labels from 0, got labels from {y.min()} to {y.max()}.")
    if y.max() >= len(y):
        raise DseError(f"data: y must be class labels 0..k-1, each in some rows; got a label {y.max()} in {len(y)} rows.")
    counts = np.bincount(y)
    if len(counts) < 2 or counts.min() < 5:
        raise DseError(f"data: every class 0..{len(counts) - 1} needs at least 5 rows to be split, got {counts.tolist()}.")
    return y.astype(np.int64)


def _targets(y: np.ndarray) -> np.ndarray:
    import numpy as np

    try:
        targets = y.reshape(len(y), -1).astype(np.float32)
    except (TypeError, ValueError) as error:
        raise DseError(f"data: y must be numbers for a regression; numpy says: {error}.") from error
    if not np.isfinite(targets).all():
        rows = np.flatnonzero(~np.isfinite(targets).all(axis=1))
        raise DseError(f"data: {len(rows)} rows of y hold NaN or infinity, the first is row {rows[0]}. Clean them first.")
    if len(targets) < 10:
        raise DseError(f"data: a regression needs at least 10 rows to be split, got {len(targets)}.")
    constant = np.flatnonzero(targets.min(axis=0) == targets.max(axis=0))
    if len(constant):
        raise DseError(f"data: column {constant[0]} of y is {targets[0, constant[0]]:g} in every row: nothing can be learned.")
    return targets


class Rows(NamedTuple):
    """Some of the rows: `x` (n, ...) float32, `y` (n,) int64 class labels or (n, k) float32 targets."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Split:
    """Rows by purpose: training, validation (what the search sees) and test (only for the front)."""

    train: Rows
    validation: Rows
    test: Rows
    classes: int
    fingerprint: str
    task: Task = "classification"

    @property
    def outputs(self) -> tuple[int, ...]:
        """How many outputs a model of these data may have: one per class, or one alone for two classes; one per target."""
        if self.task == "regression":
            return (int(self.train.y.shape[1]),)
        return (2, 1) if self.classes == 2 else (self.classes,)


def split(data: Data, seed: int) -> Split:
    """60/20/20 split, stratified by classes; the fingerprint is a SHA-256 over all values and which row went where."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    rows, classes = np.arange(len(data.y)), data.y if data.task == "classification" else None
    train, rest = train_test_split(rows, train_size=SHARES[0], random_state=seed, stratify=classes)
    kept = None if classes is None else classes[rest]
    validation, test = train_test_split(rest, train_size=0.5, random_state=seed, stratify=kept)
    digest = hashlib.sha256(f"{data.x.shape}{data.x.dtype}".encode())
    for array in (data.x, data.y, train, validation, test):
        digest.update(np.ascontiguousarray(array).tobytes())
    parts = [Rows(data.x[chosen], data.y[chosen]) for chosen in (train, validation, test)]
    for name, part in zip(("validation", "test"), parts[1:], strict=True):
        if data.task == "regression" and (part.y.min(axis=0) == part.y.max(axis=0)).any():
            raise DseError(f"data: the {name} rows have one value of y only, of which nothing can be said; give more rows.")
    return Split(parts[0], parts[1], parts[2], data.classes, digest.hexdigest(), data.task)
