"""Casts of symbolic variables, and casts in float64, against the compiled C++ types that hls4ml ships."""

import ctypes
import importlib.util
import itertools
import subprocess
from pathlib import Path

import numpy as np
import pytest
from alkaid.trace import FVArray, HWConfig, trace

from dse.fixed import quantise
from dse.network import ROUNDING, FixedType
from dse.synth.open.cast import SATURATION, cast

#: The type that is cast: 16 integer bits and the sign, 17 fraction bits.
ENTERING = FixedType(34, 17)
UNIT = """#include "ap_fixed.h"
template <class T> double cast(double x) {{ ap_fixed<34, 17> entering = x; T to = entering; return to.to_double(); }}
extern "C" double (*const casts[])(double) = {{ {casts} }};
extern "C" void dse_cast(long n, const double *x, double *y, long rows) {{
    for (long i = 0; i < rows; ++i) y[i] = casts[n](x[i]);
}}
"""


def every_type():
    """All modes, signed and not, with four widths each: every width from 1 to 32 with every rounding mode."""
    found = []
    for number, rounding in enumerate(ROUNDING):
        combinations = list(itertools.product(SATURATION, (True, False)))
        for place, (saturation, signed) in enumerate(combinations):
            for turn in range(4):
                width = (place + number + 8 * turn) % 32 + 1
                fraction = min(width - 2, 15) if width > 1 else 3
                if width <= 14 and (place + turn) % 3 == 0:
                    fraction = -2
                found.append(FixedType(width, width - fraction, signed, rounding, saturation))
    return found


TYPES = every_type()


@pytest.fixture(scope="module", name="compiled")
def compile_unit(tmp_path_factory):
    """A function that casts values to the type of this number with hls4ml's C++ types: one unit for all of them."""
    home = tmp_path_factory.mktemp("casts")
    names = [
        f"cast<ap_{'' if t.signed else 'u'}fixed<{t.width}, {t.integer}, AP_{t.rounding}, AP_{t.saturation}>>" for t in TYPES
    ]
    (home / "unit.cpp").write_text(UNIT.format(casts=",\n".join(names)))
    places = importlib.util.find_spec("hls4ml").submodule_search_locations
    include = Path(next(iter(places))) / "templates" / "vivado" / "ap_types"
    words = ["g++", "-O0", "-std=c++17", "-w", "-fPIC", "-shared", f"-I{include}", "unit.cpp", "-o", "unit.so"]
    subprocess.run(words, cwd=home, check=True)
    call = ctypes.CDLL(str(home / "unit.so")).dse_cast
    call.argtypes = [ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long]
    call.restype = None

    def run(number, x):
        y = np.empty_like(x)
        call(number, x.ctypes.data, y.ctypes.data, len(x))
        return y

    return run


def places(to):
    """Values of the entering type at and beside half steps: around 0, around both ends of the range, anywhere."""
    rng, half, unit = np.random.default_rng(to.width), to.step / 2, ENTERING.step
    around = np.concatenate([bound + np.arange(-4, 5) * half for bound in (0.0, to.low, to.high)])
    wide = rng.integers(-(2**33), 2**33, 50) * unit
    near = rng.uniform(1.3 * to.low - half, 1.3 * to.high + half, 50)
    found = np.concatenate([around, around - unit, around + unit, wide, near])
    return np.floor(np.clip(found, ENTERING.low, ENTERING.high) / unit) * unit


def test_every_width_meets_every_rounding_and_every_overflow():
    """What the one unit covers."""
    assert {(t.rounding, t.width) for t in TYPES} == set(itertools.product(ROUNDING, range(1, 33)))
    assert {(t.rounding, t.saturation, t.signed) for t in TYPES} == set(itertools.product(ROUNDING, SATURATION, (True, False)))


@pytest.mark.parametrize("number", range(len(TYPES)), ids=lambda n: str(TYPES[n]))
def test_a_cast_is_what_the_compiled_type_does(compiled, number):
    """Of symbolic variables (evaluated by alkaid) and of float64 values, bit for bit."""
    to = TYPES[number]
    x = places(to)
    expected = compiled(number, x)
    assert np.array_equal(quantise(x, to), expected)
    bits = (np.array([n]) for n in (1, ENTERING.integer - 1, ENTERING.fraction))
    entering = FVArray.from_kif(*bits, HWConfig(1, 1, -1))
    found = trace(entering, cast(entering, to), optimize=False).predict(x).ravel()
    assert np.array_equal(found, expected)


def test_a_constant_is_cast_as_any_value_is():
    """Padding and biases of layers without inputs are constants: alkaid's own cast would cut them instead of rounding."""
    to = FixedType(6, 2, True, "RND_CONV", "SAT")
    for value in (0.34375, -0.34375, 7.0, -9.5, 0.0):
        made = cast(FVArray(np.array([value]), hwconf=HWConfig(1, 1, -1)), to)
        assert float(made[0].low) == float(made[0].high) == float(quantise(np.array(value), to))
