"""Colours that can be told apart and read, on both themes."""

from __future__ import annotations

import itertools

import pytest

from dashboards.palette import DARK, DARKENED, LIGHT, darkened

MARKS = ("front", "dominated", "infeasible", "knee")


def luminance(color):
    """Relative luminance, WCAG 2.2."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_colour_has_its_own_dark_one():
    """Exchanging colours one for one needs as many on either side, and no two alike."""
    assert set(LIGHT) == set(DARK)
    assert len(set(LIGHT.values())) == len(LIGHT) == len(DARKENED)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_the_surface(colors):
    """WCAG 2.2: text at 4.5 to 1; the marks that carry the message at 3 to 1, faint and bright ones at 2."""
    for role in ("ink", "quiet"):
        assert contrast(colors[role], colors["surface"]) >= 4.5, role
    assert contrast(colors["ink"], colors["cell"]) >= 4.5  # words on the fullest cell of a heat map
    for role in ("front", "infeasible"):
        assert contrast(colors[role], colors["surface"]) >= 3, role
    for role in ("dominated", "knee"):
        assert contrast(colors[role], colors["surface"]) >= 2, role


def test_front_and_dominated_differ_in_grey():
    """On a printer without colours the front is much darker than what it dominates."""
    assert contrast(LIGHT["front"], LIGHT["dominated"]) >= 1.8


@pytest.mark.parametrize(
    "missing", [(0.625, 0.375, 0.7, 0.3), (0.567, 0.433, 0.558, 0.442)], ids=["deuteranopia", "protanopia"]
)
def test_marks_differ_for_colour_blind_eyes(missing):
    """With red and green mixed as these eyes mix them, no two marks get close to each other."""
    a, b, c, d = missing

    def seen(color):
        red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
        return (a * red + b * green, c * red + d * green, 0.3 * green + 0.7 * blue)

    for one, other in itertools.combinations((LIGHT[role] for role in MARKS), 2):
        assert sum((p - q) ** 2 for p, q in zip(seen(one), seen(other), strict=True)) > 40**2, (one, other)


def test_darkening_exchanges_colours_and_nothing_else():
    """Colours anywhere inside, not texts, numbers or keys."""
    plain = {"marker": {"color": LIGHT["front"], "size": 3}, "scale": [[0, LIGHT["grid"]]], "name": "front", "x": [1.5, None]}
    assert darkened(plain) == {
        "marker": {"color": DARK["front"], "size": 3},
        "scale": [[0, DARK["grid"]]],
        "name": "front",
        "x": [1.5, None],
    }
