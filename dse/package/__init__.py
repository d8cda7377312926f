"""One design of a sweep as a folder that can be built, simulated and verified without the sweep."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dse
from dse import ladder, proof
from dse.errors import DseError, StageFailed, UsageError
from dse.metrics import Measurement
from dse.network import Network
from dse.package import hls, manifest, readme, verilog
from dse.package.manifest import differences
from dse.record import Record
from dse.run import Run
from dse.store import Store
from dse.synth.open import Open
from dse.synth.open.rtl import Pipeline
from dse.synth.vectors import Vectors

__all__ = ["KINDS", "Contents", "Verified", "package", "verify"]

#: What a package may be.
KINDS = ("hls", "verilog")


@dataclass(frozen=True)
class Contents:
    """What goes into a package: the design's record and network, its generated project, and rows with emulated outputs:
    those that are `known` from the sweep, and with them others that provoke overflow.
    """

    run: Run
    record: Record
    network: Network
    project: Path
    known: Vectors
    vectors: Vectors


@dataclass(frozen=True)
class Verified:
    """What `verify` has checked, in words, and what was not as it should be (empty: all was)."""

    checked: tuple[str, ...]
    wrong: tuple[str, ...]


def package(run: Run, trial: int, kind: str, out: Path, latency_cutoff: float = 5.0) -> Path:
    """Write the package of a finished trial to `out`, which must not exist or be empty; returns it.

    "hls": hls4ml's project as it builds, with scripts. "verilog": the network unrolled by open tools, pipelined at
    `latency_cutoff`. UsageError where the trial or the place cannot be used, StageFailed where the design cannot be built so.
    """
    if kind not in KINDS:
        raise UsageError(f"a package is one of {', '.join(KINDS)}, got {kind!r}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists and is not an empty folder. Choose another place with --out PATH.")
    store = Store(run.folder.resolve().parent)
    store.prepare()
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    draft.mkdir(parents=True)
    try:
        contents = _contents(run, run.record(trial), store, draft)
        measured: tuple[Measurement, ...] = ()
        pipeline: Pipeline | None = None
        if kind == "hls":
            hls.fill(draft, contents.project, contents.vectors)
        else:
            measured, pipeline = _verilog(draft, contents, store, latency_cutoff)
        record = contents.record.plus([m for m in measured if m not in contents.record.measurements])
        (draft / "record.json").write_text(json.dumps(record.as_json(), indent=1) + "\n")
        (draft / "network").mkdir()
        contents.network.save(draft / "network")
        (draft / "README.md").write_text(readme.text(run, record, contents.network, len(contents.vectors.inputs), pipeline))
        manifest.write(draft, {"kind": kind, "dse": dse.__version__, "study": run.name, "trial": trial})
        if out.exists():
            out.rmdir()
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return out


def _contents(run: Run, record: Record, store: Store, scratch: Path) -> Contents:
    """What is known of a trial; UsageError where it has no emulation, or the store no longer holds its project."""
    if "emulate" not in record.entries or (record.failure is not None and record.failure.stage != ladder.STAGE):
        why = "it was not emulated" if record.failure is None else f"it failed in {record.failure.stage}"
        raise UsageError(f"trial {record.trial} cannot be packed: {why}; `dse show {run.folder} {record.trial}`.")
    known = ladder.emulated_rows(record, store)
    built = store.find("convert", record.entries["convert"])
    if known is None or built is None:
        raise UsageError(
            f"{store.folder} no longer holds the files of trial {record.trial}. Make the design again: `dse show {run.folder} "
            f"{record.trial}` prints the command."
        )
    network, project = Network.load(built.folder), built.folder / "project"
    log = scratch / proof.LOG
    vectors = proof.vectors(network, project, store.folder / "libraries", known, log)
    for left in (log, *(log.with_name(name) for name in ("unit.cpp", "weights.h", "run.sh"))):
        left.unlink(missing_ok=True)
    return Contents(run, record, network, project, known, vectors)


def _verilog(folder: Path, contents: Contents, store: Store, latency_cutoff: float) -> tuple[tuple[Measurement, ...], Pipeline]:
    """Fill `folder` with the unrolled design; its figures are made, or found in the store."""
    rungs = ladder.rungs(Open(latency_cutoff))
    climb = ladder.Climb(store, contents.network, contents.project, rungs, contents.known)
    found = tuple(ladder.stated(entry) for _, entry in climb.up())
    logic = climb.entries[0].folder
    return found, verilog.fill(folder, contents.network, contents.vectors, logic, latency_cutoff)


def verify(folder: Path) -> Verified:
    """Check a package again: its digests, and that what it builds gives the outputs of its vectors, bit for bit.

    UsageError where `folder` is no package.
    """
    folder = folder.resolve()
    found = manifest.read(folder)
    wrong = differences(folder, found)
    if wrong:  # what has changed is not run
        return Verified((f"digests of {len(found['files'])} files",), tuple(wrong))
    checked = [f"digests of {len(found['files'])} files"]
    checks: dict[str, Callable[[Path], list[str]]] = {"hls": hls.check, "verilog": verilog.check}
    if found.get("kind") not in checks:
        raise DseError(f"{folder}: a package of the kind {found.get('kind')!r}; this dse knows {', '.join(checks)}.")
    try:
        checked += checks[found["kind"]](folder)
    except StageFailed as error:
        return Verified(tuple(checked), (error.message,))
    return Verified(tuple(checked), ())
