"""An ensemble of decision trees as plain arrays, and what it says of rows: exact in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

#: The arrays of an ensemble, as they are kept in files and in a `Network`.
ARRAYS = ("feature", "threshold", "left", "right", "value", "start", "output", "init")


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trees one after the other; tree t has the nodes `start[t]` to `start[t + 1]`, the root first, and adds to `output[t]`.

    Per node: `feature` (-1: a leaf), `threshold`, the children `left` (where the comparison holds) and `right` as numbers
    within the tree, the leaf's `value`. `init` (n_out,) is what the scores begin with. `convention` is "<" or "<=".
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    start: np.ndarray
    output: np.ndarray
    init: np.ndarray
    convention: str

    @classmethod
    def of(cls, trees: Sequence[tuple[int, Mapping[str, Any]]], n_out: int, convention: str) -> Self:
        """From (output, conifer's dict of lists) of each tree; the scores begin with 0."""
        sizes = [len(tree["feature"]) for _, tree in trees]
        rows = {
            name: np.concatenate([np.asarray(tree[key], dtype=np.float64) for _, tree in trees])
            for name, key in (
                ("feature", "feature"),
                ("threshold", "threshold"),
                ("left", "children_left"),
                ("right", "children_right"),
                ("value", "value"),
            )
        }
        leaf = rows["feature"] < 0
        return cls(
            feature=np.where(leaf, -1, rows["feature"]).astype(np.int64),
            threshold=np.where(leaf, 0.0, rows["threshold"]),
            left=rows["left"].astype(np.int64),
            right=rows["right"].astype(np.int64),
            value=np.where(leaf, rows["value"], 0.0),
            start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            output=np.array([output for output, _ in trees], dtype=np.int64),
            init=np.zeros(n_out),
            convention=convention,
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], convention: str) -> Self:
        """The inverse of `arrays`; indices may come as float64."""
        whole = ("feature", "left", "right", "start", "output")
        return cls(**{n: np.asarray(arrays[n], np.int64 if n in whole else np.float64) for n in ARRAYS}, convention=convention)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name."""
        return {name: getattr(self, name) for name in ARRAYS}

    @property
    def trees(self) -> int:
        """How many there are, those of all outputs."""
        return len(self.output)

    @property
    def inner(self) -> np.ndarray:
        """Which nodes compare."""
        return np.asarray(self.feature >= 0)

    @property
    def depth(self) -> int:
        """Comparisons from the root to the deepest leaf."""
        return max(self._depth(tree) for tree in range(self.trees))

    def _depth(self, tree: int) -> int:
        first, level, found = int(self.start[tree]), [0], -1
        while level:
            found += 1
            inner = [first + node for node in level if self.feature[first + node] >= 0]
            level = [int(child[node]) for node in inner for child in (self.left, self.right)]
        return found

    def scores(self, x: np.ndarray) -> np.ndarray:
        """(n, n_out) float64 sums of the leaves that rows (n, n_features) reach, from `init` on."""
        found = np.tile(self.init, (len(x), 1))
        rows = np.arange(len(x))
        for tree, first in enumerate(self.start[:-1]):
            node = np.full(len(x), first)
            while True:
                inner = self.feature[node] >= 0
                if not inner.any():
                    break
                seen, limit = x[rows, np.maximum(self.feature[node], 0)], self.threshold[node]
                holds = seen < limit if self.convention == "<" else seen <= limit
                child = np.where(holds, self.left[node], self.right[node]) + first
                node = np.where(inner, child, node)
            found[:, self.output[tree]] += self.value[node]
        return found

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and highest sums (n_out,) that any row could reach."""
        low, high = self.init.copy(), self.init.copy()
        for tree, (first, last) in enumerate(zip(self.start[:-1], self.start[1:], strict=True)):
            leaves = self.value[first:last][self.feature[first:last] < 0]
            low[self.output[tree]] += leaves.min()
            high[self.output[tree]] += leaves.max()
        return low, high

    def starting(self, init: np.ndarray) -> Ensemble:
        """The same trees from other first scores on."""
        return replace(self, init=np.asarray(init, dtype=np.float64))
