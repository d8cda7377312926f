"""Give back the disk that nothing needs any more."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dse.journal import only_runner
from dse.run import STUDY_FILE, Run, open_run
from dse.store import Store
from dse.view import view

#: Folders of the store that can always be made again.
CACHES = ("drafts", "libraries", "locks")


@dataclass(frozen=True)
class Freed:
    """How many entries and bytes were removed, and how many entries are kept."""

    entries: int
    bytes: int
    kept: int


def clean(folder: Path, *, keep_front: bool) -> Freed:
    """Remove compiled libraries, drafts and the entries that no record of any study beside `folder` names.

    With `keep_front` only the entries of each study's front are kept; records are never touched. DseError while a study of
    this root is being swept.
    """
    root = open_run(folder).folder.resolve().parent
    store = Store(root)
    with ExitStack() as stack:
        runs = []
        for path in sorted(root.glob(f"*/{STUDY_FILE}")):
            stack.enter_context(only_runner(path.parent, "clean"))
            runs.append(open_run(path.parent))
        needed = {key for run in runs for key in _needed(run, keep_front=keep_front)}
        every = list(store.entries())
        unused = [path for path in every if path.name not in needed and path.parts[-3] != "preflight"]
        before = used_bytes(store.folder)
        for path in unused:
            shutil.rmtree(path)
        for name in CACHES:
            shutil.rmtree(store.folder / name, ignore_errors=True)
        for blob in (store.folder / "blobs").glob("*"):
            if blob.stat().st_nlink == 1:
                blob.unlink()
        return Freed(len(unused), before - used_bytes(store.folder), len(every) - len(unused))


def _needed(run: Run, *, keep_front: bool) -> Iterator[str]:
    records = [standing.record for standing in view(run).front] if keep_front else run.records
    for record in records:
        yield from record.entries.values()
        yield from (found.source.key for found in record.measurements if found.source.key)
        yield from (refusal.key for refusal in record.refusals)


def used_bytes(folder: Path) -> int:
    """Bytes on the disk below a folder; hard-linked files count once."""
    seen = {}
    for path in folder.rglob("*"):
        if path.is_file():
            status = path.stat()
            seen[status.st_ino] = status.st_blocks * 512
    return sum(seen.values())
