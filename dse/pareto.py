"""Fronts of arrays: everything is to be made small, one row per point, one column per objective."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Rows that are compared with all front rows at once; bounds the memory of `front` to BLOCK * n booleans.
BLOCK = 256


def _points(values: ArrayLike) -> Floats:
    points = np.asarray(values, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] == 0:
        raise ValueError(f"values must have the shape (points, objectives) with at least one objective, got {points.shape}.")
    if not np.isfinite(points).all():
        raise ValueError(f"values must be finite; row {int(np.argmin(np.isfinite(points).all(axis=1)))} is not.")
    return points


def _undercut(others: Floats, points: Floats) -> Bools:
    """Where a row of `others` (o, m) is nowhere larger than a row of `points` (p, m), the first column aside: (o, p)."""
    found = np.ones((len(others), len(points)), dtype=np.bool_)
    for column in range(1, points.shape[1]):
        found &= others[:, None, column] <= points[None, :, column]
    return found


def front(values: ArrayLike) -> Bools:
    """Mark the rows of `values` (n, m) that no other row dominates: (n,) booleans. Equal rows stand or fall together.

    A row dominates another one if it is nowhere larger and somewhere smaller. ValueError for values that are not finite.
    """
    points = _points(values)
    # Sorted by columns, a row can only be dominated by one before it, and the first column never needs to be compared.
    order = np.lexsort(points.T[::-1])
    points = points[order]
    first = np.ones(len(points), dtype=np.bool_)
    first[1:] = (points[1:] != points[:-1]).any(axis=1)
    unique = points[first]
    found = np.empty(0, dtype=np.intp)
    for start in range(0, len(unique), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(unique)))
        rows = rows[~_undercut(unique[found], unique[rows]).any(axis=0)]
        within = np.triu(_undercut(unique[rows], unique[rows]), 1).any(axis=0)
        found = np.concatenate([found, rows[~within]])
    on_front = np.zeros(len(unique), dtype=np.bool_)
    on_front[found] = True
    marks = np.empty(len(points), dtype=np.bool_)
    marks[order] = on_front[np.cumsum(first) - 1]
    return marks


def hypervolume_curve(values: ArrayLike, reference: ArrayLike) -> Floats:
    """The hypervolume of the first 1, 2, ... n rows of `values` (n, m) below `reference` (m,): (n,), never falling.

    Exact, for any number of objectives. The dominated space is kept as disjoint boxes, one per local upper bound, and only
    the bounds above a new point change: R. Lacour, K. Klamroth, C. M. Fonseca, "A box decomposition algorithm to compute
    the hypervolume indicator", Computers & Operations Research 79 (2017) 347-360, equations 3 and 4. Rows that are not
    below the reference in every column add nothing. ValueError for values that are not finite.
    """
    points = _points(values)
    corner = _points(np.atleast_2d(np.asarray(reference, dtype=np.float64)))[0]
    if len(corner) != points.shape[1]:
        raise ValueError(f"reference must have {points.shape[1]} values, got {len(corner)}.")
    size = len(corner)
    # defining[u, j] is the point that gives bound u its coordinate j; at first a stand-in that is small in all others.
    lowest = np.minimum(points.min(axis=0, initial=np.inf), corner)
    defining = np.where(np.eye(size, dtype=np.bool_), corner, lowest)[None]
    upper = corner[None]
    volumes = np.empty(len(points))
    volume = 0.0
    for row, point in enumerate(points):
        hit = (point < upper).all(axis=1)
        if hit.any():
            split_upper, split_defining = _split(upper[hit], defining[hit], point)
            upper = np.concatenate([upper[~hit], split_upper])
            defining = np.concatenate([defining[~hit], split_defining])
            volume = _boxes(upper, defining, corner[0])
        volumes[row] = volume
    return np.maximum.accumulate(volumes) if len(volumes) else volumes


def _split(upper: Floats, defining: Floats, point: Floats) -> tuple[Floats, Floats]:
    """The bounds that replace the bounds `upper` (k, m), all of which lie above `point`, and their defining points."""
    uppers, definings = [], []
    for column in range(len(point)):
        others = np.delete(defining[:, :, column], column, axis=1).max(axis=1, initial=-np.inf)
        keep = point[column] >= others
        uppers.append(upper[keep])
        uppers[-1][:, column] = point[column]
        definings.append(defining[keep])
        definings[-1][:, column] = point
    return np.concatenate(uppers), np.concatenate(definings)


def _boxes(upper: Floats, defining: Floats, corner: float) -> float:
    sides = np.empty_like(upper)
    sides[:, 0] = corner - defining[:, 0, 0]
    for column in range(1, upper.shape[1]):
        sides[:, column] = upper[:, column] - defining[:, :column, column].max(axis=1)
    return float(np.maximum(sides, 0).prod(axis=1).sum())


def hypervolume(values: ArrayLike, reference: ArrayLike) -> float:
    """The volume that the rows of `values` (n, m) dominate below `reference` (m,), in the product of the columns' units.

    ValueError for values that are not finite. No rows: 0.
    """
    points = _points(values)
    # Bounds stay few where the points come in order; the volume does not depend on it.
    points = points[front(points)]
    curve = hypervolume_curve(points[np.lexsort(points.T[::-1])], reference)
    return float(curve[-1]) if len(curve) else 0.0


def knee(values: ArrayLike) -> int:
    """The row of `values` (n, m) where the front bends most; the first of equal ones. ValueError where there are no rows.

    Objectives are scaled to 0 at the front's best and 1 at its worst value; the knee is the front row with the smallest
    sum. With two objectives this is the row farthest from the chord between the front's ends (I. Das, "On characterizing
    the 'knee' of the Pareto curve", Structural Optimization 18 (1999) 107-115). An objective that is the same on the whole
    front does not count.
    """
    points = _points(values)
    if len(points) == 0:
        raise ValueError("values has no rows: there is no knee.")
    rows = np.flatnonzero(front(points))
    low, high = points[rows].min(axis=0), points[rows].max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    return int(rows[np.argmin(((points[rows] - low) / span).sum(axis=1))])
