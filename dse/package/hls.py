"""The package of an HLS project: hls4ml's sources and scripts, the test bench's rows, and the check by a C++ compiler."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from dse.errors import StageFailed
from dse.network import Network
from dse.nn import emulate
from dse.synth.vectors import Vectors
from dse.synth.vitis import BENCH

#: Rows of the HLS tool's own test bench.
BENCH_ROWS = 100


def fill(folder: Path, project: Path, vectors: Vectors) -> None:
    """Copy the project, with rows for its test bench, and keep all rows with their outputs beside it."""
    shutil.copytree(project, folder / "project", copy_function=_copy, ignore=shutil.ignore_patterns("*_prj", "*.so", "*.o"))
    vectors.first(BENCH_ROWS).write(folder / "project" / BENCH)
    keep(folder, vectors)


def _copy(source: str, target: str) -> str:
    """Copy a file's content and whether it can be executed; the store's own files are write-protected."""
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if Path(source).stat().st_mode & 0o100 else 0o644)
    return target


def keep(folder: Path, vectors: Vectors) -> None:
    """Write rows and outputs as two float64 arrays."""
    (folder / "vectors").mkdir()
    np.save(folder / "vectors" / "inputs.npy", vectors.inputs, allow_pickle=False)
    np.save(folder / "vectors" / "outputs.npy", vectors.outputs, allow_pickle=False)


def kept(folder: Path) -> Vectors:
    """The inverse of `keep`."""
    return Vectors(*(np.load(folder / "vectors" / f"{name}.npy", allow_pickle=False) for name in ("inputs", "outputs")))


def check(folder: Path) -> list[str]:
    """Compile the emulation anew and run it; StageFailed("mismatch") where an output differs in any bit."""
    network, vectors = Network.load(folder / "network"), kept(folder)
    with tempfile.TemporaryDirectory(prefix="dse-verify-") as scratch:
        try:
            library = emulate.build(folder / "project", Path(scratch) / "libraries", Path(scratch) / "compile.log")
        except StageFailed as error:
            why = "the project's emulation was not compiled, which says nothing of its outputs"
            raise StageFailed(error.kind, f"{why}: {(error.log or error.message).strip()[-500:]}", error.log) from error
        found = emulate.predict(library, network, folder / "project", vectors.inputs)
    same("compiled emulation", found, vectors.outputs)
    return [f"the compiled emulation gives the kept outputs on {len(found)} rows, bit for bit"]


def same(what: str, found: np.ndarray, expected: np.ndarray) -> None:
    """StageFailed("mismatch") with the first row that differs."""
    equal = np.all(found == expected, axis=1)
    if not equal.all():
        row = int(np.argmin(equal))
        raise StageFailed(
            "mismatch",
            f"the {what} gives other outputs than were kept on {int(np.sum(~equal))} of {len(equal)} rows; row {row}: "
            f"{found[row].tolist()} instead of {expected[row].tolist()}.",
        )
