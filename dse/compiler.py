"""g++ as emulations need it: fast fixed-point types, headers parsed once, typed refusals."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from dse import aptypes, shell
from dse.errors import StageFailed
from dse.symptoms import diagnose

COMPILER = "g++"
FLAGS = ("-fPIC", "-std=c++17", "-fno-gnu-unique", "-w")
#: A compilation that takes longer is a hang.
TIMEOUT_S = 1800.0
#: The precompiled header, and beside it its size and checksum: one that a full disk has cut off, or a power cut has filled with
#: zeros, is no header.
PARSED, SEAL = "headers.h.gch", "headers.seal"
CHUNK_BYTES = 1 << 20


def compiler() -> Path:
    """The C++ compiler; ToolNotFound says how to get it."""
    return shell.find(COMPILER, "DSE_CXX", "Install it (Debian/Ubuntu: apt-get install g++)")


def compiler_version() -> str:
    """Its version, such as 12.2.0."""
    return shell.version([str(compiler()), "-dumpfullversion"], r"(\d+\.\d+\S*)")


def digest(folder: Path, leave: Sequence[str] = ()) -> str:
    """A digest of all headers below a folder, by their names and contents; files called as in `leave` do not count."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.h")):
        if path.name not in leave:
            total.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return total.hexdigest()


def precompiled(text: str, types: Path, include: Sequence[Path], libraries: Path, key: Sequence[str]) -> list[str]:
    """Arguments that begin a compilation: flags, folders, and the header `text`, parsed once for all that say the same.

    `types` is the folder of AMD's types, `include` are further folders. `key` begins with the optimisation level (-O1) and
    names all that the included files depend on. `libraries` is a folder for caches, shared between processes. A header that
    was damaged there is parsed anew.
    """
    known = repr((text, digest(types), aptypes.VERSION, list(key), compiler_version(), FLAGS))
    home = libraries / f"headers-{hashlib.sha256(known.encode()).hexdigest()[:24]}"
    if not _sound(home):
        libraries.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=libraries, prefix="draft-"))
        aptypes.faster(types, draft / "ap_types")
        (draft / "headers.h").write_text(text + "\n")
        begin = _begin(draft, include, key[0])
        compile_unit([*begin, "-x", "c++-header", f"{draft}/headers.h", "-o", f"{draft}/{PARSED}"], draft / "compile.log")
        _seal(draft)
        try:
            draft.rename(home)
        except OSError:  # another process was faster, or what is there is damaged
            if not _sound(home):
                for name in ("headers.h", PARSED, SEAL):
                    (draft / name).replace(home / name)
            shutil.rmtree(draft)
    return [*_begin(home, include, key[0]), "-include", str(home / "headers.h")]


def _sound(home: Path) -> bool:
    """Whether a folder holds the precompiled header that was written there."""
    try:
        found = (home / PARSED).stat()
        size, checksum = map(int, (home / SEAL).read_text().split())
        return found.st_size == size and _checksum(home / PARSED, found.st_mtime_ns) == checksum
    except (OSError, ValueError):
        return False


@lru_cache(maxsize=64)
def _checksum(path: Path, changed_ns: int) -> int:  # noqa: ARG001 - a file that was changed is read again
    """CRC-32 of a file; a header takes a tenth of a second, once per process."""
    total = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            total = zlib.crc32(chunk, total)
    return total


def _seal(draft: Path) -> None:
    """Note the header's size and checksum once all of it is on the disk."""
    path = draft / PARSED
    with path.open("rb") as file:
        os.fsync(file.fileno())
    found = path.stat()
    (draft / SEAL).write_text(f"{found.st_size} {_checksum(path, found.st_mtime_ns)}")


def _begin(home: Path, include: Sequence[Path], level: str) -> list[str]:
    return [level, *FLAGS, *(f"-I{folder}" for folder in (home / "ap_types", *include))]


def compile_unit(arguments: Sequence[str], log: Path) -> None:
    """Call the compiler; StageFailed("tool") with its words where it refuses the code, another kind where it was ended."""
    argv = [str(compiler()), *arguments]
    done = shell.run(argv, log.parent, log, limits=shell.Limits(timeout_s=TIMEOUT_S))
    if done.returncode != 0:
        ended = f"refused the generated code (exit {done.returncode})"
        found = diagnose(COMPILER, log, "tool", ended)
        raise StageFailed(found.kind, found.message, shell.tail(log))
