"""What every stage has made, under the hash of its causes; nothing is ever made twice.

    ROOT/store/<stage>/<first two digits>/<key>/    entry.json and the stage's files
    ROOT/store/drafts/<stage>-<key>/                an entry being made; published by rename
    ROOT/store/locks/<stage>-<key>                  held while it is made
    ROOT/store/blobs/<sha256>                       files that many entries share, hard-linked
    ROOT/store/made.jsonl                           one line per published entry

Entries hold no absolute paths: a root can be moved.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse import journal
from dse.errors import PERMANENT, DseError, StageFailed

log = logging.getLogger(__name__)

FOLDER = "store"
ENTRY_FILE = "entry.json"
#: Files that are the same in many entries: sources that hls4ml copies into every project, rows of the data and their labels.
SHARED = ("*.h", "inputs-*.npy", "labels-*.npy")


@dataclass(frozen=True)
class Entry:
    """A published result: its folder, what the stage returned and how long it took to make; `fresh`: made just now."""

    stage: str
    key: str
    folder: Path
    data: Mapping[str, Any]
    seconds: float
    fresh: bool


def key_of(stage: str, causes: Mapping[str, Any]) -> str:
    """SHA-256 over the stage's name and its causes as canonical JSON; ValueError for NaN, TypeError for what is no JSON."""
    text = json.dumps([stage, causes], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Store:
    """The entries of one root. `retry` names failure kinds whose remembered failures are forgotten and tried again."""

    root: Path
    retry: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        # stages run programs in folders of their own, where a relative path would mean another place
        object.__setattr__(self, "root", self.root.absolute())

    @property
    def folder(self) -> Path:
        """Where the entries lie."""
        return self.root / FOLDER

    def prepare(self) -> None:
        """Make the folders and prove that they can be written and locked; DseError with the reason otherwise."""
        try:
            for name in ("drafts", "locks", "blobs"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            probe = self.folder / "locks" / f"probe-{os.getpid()}"
            with _lock(probe):
                probe.write_text("x")
            probe.unlink()
        except OSError as error:
            raise DseError(
                f"{self.folder} cannot be used: {error.strerror or error}. Choose a local, writable folder with --root DIR."
            ) from error

    def path(self, stage: str, key: str) -> Path:
        """Where an entry is, or would be."""
        return self.folder / stage / key[:2] / key

    def draft(self, stage: str, key: str) -> Path:
        """Where an entry is being made; what a passing failure has left stays there until the next attempt."""
        return self.folder / "drafts" / f"{stage}-{key}"

    def find(self, stage: str, key: str) -> Entry | None:
        """The published entry, or None. One whose files are gone is forgotten with a warning, to be made again.

        Raises the StageFailed that is remembered under this key.
        """
        folder = self.path(stage, key)
        try:
            found = json.loads((folder / ENTRY_FILE).read_text())
            missing = [name for name, size in found["files"].items() if _size(folder / name) != size]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            missing = [ENTRY_FILE]
        if missing:
            log.warning("%s: %s gone or changed; the entry is made again.", folder, ", ".join(missing))
            return None
        if found["failure"] is not None:
            if found["failure"]["kind"] in self.retry:
                return None
            raise StageFailed(**found["failure"])
        return Entry(stage, key, folder, found["data"], found["seconds"], fresh=False)

    def get(
        self, stage: str, causes: Mapping[str, Any], make: Callable[[Path], Mapping[str, Any]], *, spent: float = 0.0
    ) -> Entry:
        """The entry of these causes; made by `make(draft folder) -> data` where there is none yet.

        `spent` are seconds that went into it before, where `make` only writes down what was computed with others. Only one
        process makes it, others wait for it. A permanent StageFailed is remembered and raised again; a passing one is not. A
        full disk becomes StageFailed("disk").
        """
        key = key_of(stage, causes)
        entry = self.find(stage, key)
        if entry is not None:
            return entry
        try:
            with _lock(self.folder / "locks" / f"{stage}-{key}"):
                entry = self.find(stage, key)
                return entry if entry is not None else self._make(stage, key, causes, make, spent)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StageFailed(
                    "disk", f"{self.folder}: {error.strerror}. Free space, then run the same command again."
                ) from error
            raise

    def _make(
        self, stage: str, key: str, causes: Mapping[str, Any], make: Callable[[Path], Mapping[str, Any]], spent: float
    ) -> Entry:
        draft = self.draft(stage, key)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        start = time.monotonic()
        failure: StageFailed | None = None
        data: Mapping[str, Any] = {}
        try:
            data = json.loads(json.dumps(make(draft), allow_nan=False))  # as `find` will read it: no tuples, keys are text
        except StageFailed as error:
            if error.kind not in PERMANENT:
                raise
            failure = error
        seconds = round(spent + time.monotonic() - start, 4)
        self._publish(draft, {"stage": stage, "key": key, "causes": causes, "data": data, "seconds": seconds}, failure)
        if failure is not None:
            raise failure
        return Entry(stage, key, self.path(stage, key), data, seconds, fresh=True)

    def _publish(self, draft: Path, entry: dict[str, Any], failure: StageFailed | None) -> None:
        self._share(draft)
        files = {str(path.relative_to(draft)): path.stat().st_size for path in sorted(draft.rglob("*")) if path.is_file()}
        told = None if failure is None else {"kind": failure.kind, "message": failure.message, "log": failure.log}
        text = json.dumps({**entry, "failure": told, "files": files}, indent=1, allow_nan=False)
        (draft / ENTRY_FILE).write_text(text)
        _flush(draft / ENTRY_FILE)
        home = self.path(entry["stage"], entry["key"])
        home.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(home, ignore_errors=True)
        draft.rename(home)
        line = {
            "stage": entry["stage"],
            "key": entry["key"],
            "seconds": entry["seconds"],
            "pid": os.getpid(),
            "time": time.time(),
        }
        with _lock(self.folder / "locks" / "made"):
            journal.append(self.folder / "made.jsonl", [line])

    def _share(self, draft: Path) -> None:
        """Hard-link what many entries hold alike, as hls4ml's headers: thousands of designs then share one copy."""
        for path in (found for pattern in SHARED for found in draft.rglob(pattern)):
            blob = self.folder / "blobs" / hashlib.sha256(path.read_bytes()).hexdigest()
            if not blob.exists():
                fresh = blob.with_suffix(f".{os.getpid()}")
                shutil.copyfile(path, fresh)
                _flush(fresh)  # thousands of entries will hang on it
                fresh.chmod(0o444)
                fresh.rename(blob)
            beside = path.with_name(f".{path.name}.link")
            with suppress(OSError):  # a file system without hard links keeps the copy
                os.link(blob, beside)
                beside.replace(path)
            beside.unlink(missing_ok=True)

    def entries(self) -> Iterator[Path]:
        """The folders of all published entries."""
        yield from (path.parent for path in self.folder.glob(f"*/??/*/{ENTRY_FILE}"))


def _flush(path: Path) -> None:
    """Return when the file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`, waiting for it; freed by the system when the holder dies."""
    while True:
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # the file may have been removed by `dse clean` between open and lock
            if _size(path) is not None and os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                yield
                return
