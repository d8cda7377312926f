"""What a design's stored outputs say row by row: which classes are confused, and how well each is told apart.

Read from the store alone: outputs and labels were kept by the emulation; nothing of the study is run.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashboards.knob import Floats, Ints
from dse.evidence import files_of
from dse.record import Record
from dse.run import Run

#: Classes that a matrix shows, and curves that a picture shows.
MOST_CLASSES, MOST_CURVES = 40, 10
#: Points of one curve.
CORNERS = 400
#: Where outputs lie, the better evidence first: the test rows of what is built, then validation rows.
PLACES = (("verify", "test"), ("verify", "validation"), ("emulate", "validation"))


@dataclass(frozen=True)
class Outcomes:
    """Outputs (n, k) and labels (n,) of one set of rows; one output alone is a score of class 1, above 0 where it is likely."""

    rows: str
    stage: str
    outputs: Floats
    labels: Ints

    @property
    def classes(self) -> int:
        """How many there are; two where one score tells them apart."""
        return max(int(self.outputs.shape[1]), 2)

    @property
    def predicted(self) -> Ints:
        """The class of each row's largest output."""
        if self.outputs.shape[1] == 1:
            return np.asarray(self.outputs[:, 0] > 0, dtype=np.int64)
        return np.asarray(self.outputs.argmax(axis=1), dtype=np.int64)

    @property
    def confusion(self) -> Ints:
        """(classes, classes): how many rows of each label were taken for which class."""
        found = np.zeros((self.classes, self.classes), dtype=np.int64)
        np.add.at(found, (self.labels, self.predicted), 1)
        return found

    def score(self, label: int) -> Floats:
        """How far a class stands out in each row: its output less the largest other one."""
        if self.outputs.shape[1] == 1:
            return self.outputs[:, 0] if label == 1 else -self.outputs[:, 0]
        others: Floats = np.delete(self.outputs, label, axis=1).max(axis=1)
        return self.outputs[:, label] - others

    def roc(self, label: int) -> tuple[Floats, Floats, float] | None:
        """False and true positive rates of a class against all others, and the area below; None where one side is empty."""
        return roc(self.score(label), self.labels == label)


def roc(score: Floats, positive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[Floats, Floats, float] | None:
    """The curve over all thresholds, equal scores in one step, and its area by trapezia (ties count half)."""
    hits, misses = int(positive.sum()), int((~positive).sum())
    if not hits or not misses:
        return None
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    true = np.append(0.0, np.cumsum(positive[order])[ends] / hits)
    false = np.append(0.0, np.cumsum(~positive[order])[ends] / misses)
    return false, true, float(np.trapezoid(true, false))


def outcomes(run: Run, record: Record) -> tuple[Outcomes | None, str]:
    """What is stored of a design's outputs, or None and why there is nothing to show."""
    files = files_of(run, record)
    reason = "its emulation is no longer in the store; the same `dse run` makes it again when it is needed"
    for stage, rows in PLACES:
        folder = files.get(stage)
        if folder is None:
            continue
        outputs, labels = folder / "outputs.npz", folder / f"labels-{rows}.npy"
        if not labels.is_file():
            reason = "it was emulated by a dse that did not keep the labels"
            continue
        found = _read(outputs, labels, rows)
        if isinstance(found, str):
            reason = found
            continue
        return Outcomes(rows, stage, *found), ""
    return None, reason


def _read(outputs: Path, labels: Path, rows: str) -> tuple[Floats, Ints] | str:
    """Outputs and labels that fit together as classes, or what is wrong."""
    try:
        with np.load(outputs, allow_pickle=False) as file:
            values = np.asarray(file[rows], dtype=np.float64)
        wanted = np.load(labels, allow_pickle=False)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        return f"its stored outputs cannot be read: {type(error).__name__}"
    if values.ndim != 2 or not len(values) or wanted.shape != (len(values),) or not np.issubdtype(wanted.dtype, np.integer):
        return "its outputs are not scores of classes"
    if wanted.min() < 0 or wanted.max() >= max(values.shape[1], 2) or not np.isfinite(values).all():
        return "its outputs are not scores of classes"
    return values, wanted.astype(np.int64)
