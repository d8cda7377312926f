"""Headers that are parsed once for many compilations."""

import os
import shutil
import zlib

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


def cut(header, share):
    """The file ends after this share of it."""
    with header.open("r+b") as file:
        file.truncate(int(share * header.stat().st_size))


def emptied(header, share):
    """As large as it was, and zeros after this share of it."""
    size = header.stat().st_size
    cut(header, share)
    with header.open("r+b") as file:
        file.truncate(size)


@pytest.mark.parametrize("damage", [cut, emptied])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_damaged_header_is_parsed_anew(parsed, tmp_path, share, damage):
    """g++ refuses one, or reads everything again without a word: either would last for as long as the store."""
    call, cache = parsed
    arguments = call()
    (header,) = cache.glob("headers-*/headers.h.gch")
    whole, changed = header.stat().st_size, header.stat().st_mtime_ns
    damage(header, share)
    os.utime(header, ns=(changed + 10**9, changed + 10**9))  # clocks of file systems are coarse
    assert call() == arguments
    size, checksum = map(int, header.with_name("headers.seal").read_text().split())
    assert size == header.stat().st_size > 0.99 * whole
    assert checksum == zlib.crc32(header.read_bytes())
    assert compiled(arguments, tmp_path) > 0
    assert [path.name for path in cache.iterdir()] == [header.parent.name]


def test_headers_without_a_seal_are_parsed_anew(parsed):
    """Another release has left them, or was stopped on the way."""
    call, cache = parsed
    call()
    (seal,) = cache.glob("headers-*/headers.seal")
    before = seal.with_name("headers.h.gch").stat().st_ino
    seal.unlink()
    call()
    assert seal.with_name("headers.h.gch").stat().st_ino != before
    assert seal.exists()
