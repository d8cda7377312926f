"""The faster copy of AMD's fixed-point types against the types as they are."""

import shutil
import subprocess

import pytest

from dse import aptypes
from dse.bdt.emulate import types
from dse.compiler import FLAGS

#: Prints width and value of all that fixed-point numbers and C's integers make together.
PROGRAM = """
#include "ap_fixed.h"
#include "ap_int.h"
#include <cstdio>
enum Few { two = 2 };
template <class T> void show(const T &x) { std::printf("%d %.17g\\n", int(T::width), x.to_double()); }
template <class A, class C> void both(A a, C c) {
    show(a + c); show(c + a); show(a - c); show(c - a); show(a * c); show(c * a); show(a / c); show(c / a);
    show(a & c); show(c | a); show(a ^ c); show(a << c); show(a >> c);
    std::printf("%d %d %d %d %d %d\\n", a < c, c < a, a <= c, c >= a, a == c, c != a);
    A b = a;
    b += c; show(b); b *= c; show(b); b -= c; show(b); b |= c; show(b); b /= c; show(b); b <<= c; show(b); b >>= c; show(b);
}
template <class A> void every(A a) {
    both(a, true); both(a, char(3)); both(a, (signed char)(-3)); both(a, (unsigned char)(200));
    both(a, short(-2)); both(a, (unsigned short)(2)); both(a, int(3)); both(a, 3u);
    both(a, 1l); both(a, 2ul); both(a, 3ll); both(a, 3ull); both(a, two);
}
int main() {
    every(ap_fixed<12, 5>(-3.40625)); every(ap_ufixed<7, 3, AP_RND_CONV, AP_SAT>(5.25)); every(ap_fixed<80, 20>(-77.125));
    every(ap_int<9>(-77)); every(ap_uint<70>(12345));
}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_numbers_of_the_faster_types_are_those_of_the_types_as_they_are(tmp_path):
    """Every operator with every integer and an enumerator, either way round: the same widths and the same values."""
    aptypes.faster(types(), tmp_path / "faster")
    (tmp_path / "program.cpp").write_text(PROGRAM)
    printed = []
    for folder in (types(), tmp_path / "faster"):
        argv = ["g++", "-O0", *FLAGS, f"-I{folder}", str(tmp_path / "program.cpp"), "-o", str(tmp_path / "program")]
        subprocess.run(argv, check=True)
        printed.append(subprocess.run([str(tmp_path / "program")], capture_output=True, text=True, check=True).stdout)
    assert printed[0] == printed[1]
    assert len(printed[0].splitlines()) == 5 * 13 * 21


def test_hls4mls_types_have_what_is_made_faster(tmp_path):
    """Another release may spell it otherwise, and would be as slow as before without a word: then we want to know."""
    aptypes.faster(types(), tmp_path / "faster")
    before, after = ((folder / "etc/ap_private.h").read_text() for folder in (types(), tmp_path / "faster"))
    assert (before.count(aptypes.SLOW), after.count(aptypes.SLOW), after.count(aptypes.FAST)) == (2, 0, 2)
    counts = {path.name: path.read_text().count("dse_signed<dse_c>)") for path in (tmp_path / "faster").rglob("*.h")}
    folded = {name: count for name, count in counts.items() if count}
    assert folded == {"ap_fixed_base.h": 1, "ap_fixed_ref.h": 1, "ap_int_base.h": 5, "ap_int_ref.h": 5, "ap_private.h": 3}


def test_a_header_without_such_overloads_is_left_as_it_is():
    """Also one whose macros of integers make no templates."""
    text = "#define ONE(C_TYPE, BITS, SIGN) C_TYPE get(C_TYPE x);\nONE(int, 32, true)\nONE(long, 64, true)\n"
    assert aptypes.folded(text) == text
    assert aptypes.folded("int x;\n") == "int x;\n"
