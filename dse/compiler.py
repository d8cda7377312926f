"""g++ as emulations need it: fixed-point types that run fast, headers parsed once, typed refusals.

AMD's simulation types declare `clearUnusedBits() volatile`, so that each operation goes through memory. No generated code has a
volatile number, so the word is taken out of a copy of the types: nothing is computed otherwise (tests compare with hls4ml's own
library), and a convolution of 30 x 30 x 16 outputs runs five times as fast, compiled a quarter sooner.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dse import shell
from dse.errors import StageFailed
from dse.symptoms import diagnose

COMPILER = "g++"
FLAGS = ("-fPIC", "-std=c++17", "-fno-gnu-unique", "-w")
#: A compilation that takes longer is a hang.
TIMEOUT_S = 1800.0
#: The precompiled header, and beside it how many bytes it has: one that a full disk has cut off is no header.
PARSED, SIZE = "headers.h.gch", "headers.size"
#: What is taken out of AMD's types.
SLOW, FAST = "clearUnusedBits(void) volatile", "clearUnusedBits(void)"


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
    known = repr((text, digest(types), list(key), compiler_version(), FLAGS))
    home = libraries / f"headers-{hashlib.sha256(known.encode()).hexdigest()[:24]}"
    if not _sound(home):
        libraries.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=libraries, prefix="draft-"))
        _fast_types(types, draft / "ap_types")
        (draft / "headers.h").write_text(text + "\n")
        begin = _begin(draft, include, key[0])
        compile_unit([*begin, "-x", "c++-header", f"{draft}/headers.h", "-o", f"{draft}/{PARSED}"], draft / "compile.log")
        _seal(draft)
        try:
            draft.rename(home)
        except OSError:  # another process was faster, or what is there is damaged
            if not _sound(home):
                for name in ("headers.h", PARSED, SIZE):
                    (draft / name).replace(home / name)
            shutil.rmtree(draft)
    return [*_begin(home, include, key[0]), "-include", str(home / "headers.h")]


def _sound(home: Path) -> bool:
    """Whether a folder holds a precompiled header of the size that was written."""
    try:
        return (home / PARSED).stat().st_size == int((home / SIZE).read_text())
    except (OSError, ValueError):
        return False


def _seal(draft: Path) -> None:
    """Note the header's size once all of it is on the disk."""
    with (draft / PARSED).open("rb") as file:
        os.fsync(file.fileno())
    (draft / SIZE).write_text(str((draft / PARSED).stat().st_size))


def _begin(home: Path, include: Sequence[Path], level: str) -> list[str]:
    return [level, *FLAGS, *(f"-I{folder}" for folder in (home / "ap_types", *include))]


def _fast_types(types: Path, copy: Path) -> None:
    shutil.copytree(types, copy)
    private = copy / "etc/ap_private.h"
    if private.exists():  # other versions of the types may be fast as they are
        text = private.read_text()
        private.unlink()
        private.write_text(text.replace(SLOW, FAST))


def compile_unit(arguments: Sequence[str], log: Path) -> None:
    """Call the compiler; StageFailed("tool") with its words where it refuses the code, another kind where it was ended."""
    argv = [str(compiler()), *arguments]
    done = shell.run(argv, log.parent, log, limits=shell.Limits(timeout_s=TIMEOUT_S))
    if done.returncode != 0:
        ended = f"refused the generated code (exit {done.returncode})"
        found = diagnose(COMPILER, log, "tool", ended)
        raise StageFailed(found.kind, found.message, shell.tail(log))
