"""Headers that are parsed once for many compilations."""

import shutil

import pytest

from dse.compiler import compile_unit, precompiled

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")


@pytest.fixture
def parsed(tmp_path):
    """A function that gives the arguments of a compilation with the header, and the folder where it is kept."""
    types = tmp_path / "types"
    types.mkdir()
    (types / "one.h").write_text("#include <vector>\ninline int one() { return 1; }\n")
    cache = tmp_path / "cache"

    def call():
        return precompiled('#include "one.h"', types, (), cache, ("-O0", "test"))

    return call, cache


def compiled(arguments, folder):
    """The size of what is compiled with these arguments; StageFailed where g++ refuses."""
    (folder / "unit.cpp").write_text("int main() { return one(); }\n")
    compile_unit([*arguments, str(folder / "unit.cpp"), "-o", str(folder / "unit")], folder / "compile.log")
    return (folder / "unit").stat().st_size


def test_a_header_is_parsed_once(parsed, tmp_path):
    """The second call finds the first one's file, and units compile with it."""
    call, cache = parsed
    arguments = call()
    (header,) = cache.glob("headers-*/headers.h.gch")
    before = header.stat().st_mtime_ns
    assert call() == arguments
    assert header.stat().st_mtime_ns == before
    assert compiled(arguments, tmp_path) > 0


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_header_that_was_cut_off_is_parsed_anew(parsed, tmp_path, share):
    """g++ refuses one, or reads everything again without a word: either would last for as long as the store."""
    call, cache = parsed
    arguments = call()
    (header,) = cache.glob("headers-*/headers.h.gch")
    whole, size = header.stat().st_size, header.with_name("headers.size")
    with header.open("r+b") as file:
        file.truncate(int(share * whole))
    assert call() == arguments
    assert header.stat().st_size == int(size.read_text()) > 0.99 * whole
    assert compiled(arguments, tmp_path) > 0
    assert [path.name for path in cache.iterdir()] == [header.parent.name]


def test_headers_of_a_store_from_before_are_parsed_anew(parsed):
    """Nothing was noted of their sizes."""
    call, cache = parsed
    call()
    (size,) = cache.glob("headers-*/headers.size")
    size.unlink()
    call()
    assert int(size.read_text()) == size.with_name("headers.h.gch").stat().st_size
