"""Fronts, hypervolumes and knees against brute force and formulas."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dse import pareto

#: Few distinct values, so that ties and equal rows occur all the time, as they do with DSP counts.
coarse = st.integers(0, 4)
grids = st.integers(1, 5).flatmap(
    lambda objectives: arrays(np.int64, st.tuples(st.integers(0, 12), st.just(objectives)), elements=coarse)
)


def brute_front(points):
    return [not any(all(o <= p for o, p in zip(b, a, strict=True)) and tuple(a) != tuple(b) for b in points) for a in points]


def brute_volume(points, corner):
    """Count the unit cells of an integer grid that some point dominates."""
    cells = itertools.product(*(range(side) for side in corner))
    return sum(any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in points) for cell in cells)


@given(grids)
def test_the_front_is_what_comparing_every_pair_gives(points):
    """A row is on the front exactly if no other row is nowhere larger and somewhere smaller; equal rows share their fate."""
    assert pareto.front(points).tolist() == brute_front(points.tolist())


def test_the_front_of_many_rows_is_what_comparing_every_pair_gives():
    """Blocks change nothing: more rows than one block holds, against a plain double loop."""
    points = np.random.default_rng(1).integers(0, 30, size=(3 * pareto.BLOCK + 7, 3))
    assert pareto.front(points).tolist() == brute_front(points.tolist())


@given(grids, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(points, random):
    """Marks belong to rows, not to places."""
    order = list(range(len(points)))
    random.shuffle(order)
    assert pareto.front(points[order]).tolist() == pareto.front(points)[order].tolist()


@given(arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(1, 4)), elements=st.floats(-1e300, 1e300)))
def test_the_front_of_a_front_is_the_front_and_is_never_empty(points):
    """Some row is always best, and nothing on a front dominates anything else on it."""
    best = points[pareto.front(points)]
    assert len(best) >= 1
    assert pareto.front(best).all()


def test_points_on_a_sphere_are_all_on_the_front():
    """No point of a concave shell dominates another one: the worst case keeps every row."""
    shell = np.abs(np.random.default_rng(2).normal(size=(1000, 4)))
    assert pareto.front(1 - shell / np.linalg.norm(shell, axis=1)[:, None]).all()


@settings(max_examples=200)
@given(grids)
def test_hypervolume_is_the_number_of_dominated_cells(points):
    """Integer points dominate whole unit cells of the grid below the reference, which can be counted one by one."""
    corner = [4] * points.shape[1]
    assert pareto.hypervolume(points, corner) == pytest.approx(brute_volume(points.tolist(), corner))


@settings(max_examples=100)
@given(grids)
def test_the_curve_is_the_hypervolume_of_every_beginning(points):
    """After each row the curve equals the volume of the rows so far, so it never falls; order changes no volume."""
    corner = [4] * points.shape[1]
    curve = pareto.hypervolume_curve(points, corner)
    assert curve.tolist() == pytest.approx([brute_volume(points[: n + 1].tolist(), corner) for n in range(len(points))])
    assert (np.diff(curve) >= 0).all()


@pytest.mark.parametrize("objectives", [1, 2, 3, 4, 5, 6])
def test_hypervolume_of_a_cross_follows_its_formula(objectives):
    """Take m points at the reference minus 1, but minus 3 in one column each: a unit cube and m arms of length 2."""
    points = 10.0 - np.ones((objectives, objectives)) - 2 * np.eye(objectives)
    assert pareto.hypervolume(points, [10.0] * objectives) == pytest.approx(1 + 2 * objectives)


@pytest.mark.parametrize(("objectives", "side"), [(2, 50), (3, 12), (4, 7), (5, 5)])
def test_hypervolume_of_a_simplex_follows_its_formula(objectives, side):
    """All integer points with sum `side` - 1 dominate side**m cells but those with a smaller sum: C(side + m - 2, m)."""
    grid = itertools.product(range(side), repeat=objectives)
    points = [point for point in grid if sum(point) == side - 1]
    expected = side**objectives - math.comb(side + objectives - 2, objectives)
    assert pareto.hypervolume(points, [side] * objectives) == pytest.approx(expected)


def test_hypervolume_of_a_fine_quarter_circle_tends_to_the_circle():
    """The steps below a circle of radius 1 cover pi/4 less half a step on either axis."""
    angle = np.linspace(0, np.pi / 2, 2001)
    points = np.column_stack([1 - np.cos(angle), 1 - np.sin(angle)])
    assert pareto.hypervolume(points, (1, 1)) == pytest.approx(np.pi / 4, abs=1e-3)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_hypervolume_scales_with_the_units(scale):
    """Ten times as large a unit in one column gives ten times the volume."""
    points = np.random.default_rng(3).random((40, 3))
    scaled = points * [scale, 1, 1]
    assert pareto.hypervolume(scaled, [scale, 1, 1]) == pytest.approx(scale * pareto.hypervolume(points, [1, 1, 1]))


def test_points_beyond_the_reference_add_nothing():
    """Only what is below the reference in every column counts; on the reference is not below it."""
    assert pareto.hypervolume([[0, 5], [5, 0], [4, 1]], (4, 4)) == 0
    assert pareto.hypervolume([[0, 5], [1, 1]], (4, 4)) == 9


def test_no_rows_have_an_empty_front_and_no_volume():
    """Nothing found yet is a usual state of a sweep, not an error."""
    assert pareto.front(np.empty((0, 3))).shape == (0,)
    assert pareto.hypervolume(np.empty((0, 3)), (1, 1, 1)) == 0
    assert pareto.hypervolume_curve(np.empty((0, 3)), (1, 1, 1)).shape == (0,)


def test_the_knee_is_where_the_front_bends():
    """Of a front that falls steeply, then hardly any more, the corner; far from the chord between the ends."""
    points = [[0, 100], [1, 20], [2, 10], [50, 5], [100, 0], [3, 50]]
    assert pareto.knee(points) == 2


@given(st.integers(2, 30), st.floats(0.2, 5.0), st.integers(0, 2**31))
def test_the_knee_of_two_objectives_is_farthest_from_the_chord(count, power, seed):
    """The definition by the smallest sum agrees with the distance to the line between the front's ends."""
    x = np.sort(np.random.default_rng(seed).random(count))
    points = np.column_stack([x, 1 - x**power])
    points = points[pareto.front(points)]
    chord = points[-1] - points[0]
    assume(chord.all())
    below = ((points - points[0]) * [chord[1], -chord[0]]).sum(axis=1)
    assert below[pareto.knee(points)] == pytest.approx(below.max(), abs=1e-12)


def test_the_knee_does_not_change_with_units():
    """LUT in thousands or in ones: the same design is the knee."""
    points = np.random.default_rng(4).random((50, 4))
    assert pareto.knee(points) == pareto.knee(points * [1e6, 1, 1e-3, 7] + [3, 0, -2, 1])


def test_an_objective_that_never_changes_does_not_decide_the_knee():
    """A constant column is no reason to divide by zero."""
    assert pareto.knee([[0, 10, 5], [1, 1, 5], [10, 0, 5]]) == 1
    assert pareto.knee([[3, 3]]) == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_are_refused(bad):
    """NaN compares with nothing and would stand on every front; the message names the row."""
    with pytest.raises(ValueError, match="row 1"):
        pareto.front([[1, 2], [bad, 1]])
    with pytest.raises(ValueError, match="finite"):
        pareto.hypervolume([[1, 2]], (3, bad))


def test_shapes_that_do_not_fit_are_refused():
    """A flat list, a reference of another length and a knee of nothing have no meaning."""
    with pytest.raises(ValueError, match="shape"):
        pareto.front([1, 2, 3])
    with pytest.raises(ValueError, match="reference must have 2 values, got 3"):
        pareto.hypervolume([[1, 2]], (3, 3, 3))
    with pytest.raises(ValueError, match="no rows"):
        pareto.knee(np.empty((0, 2)))
