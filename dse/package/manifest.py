"""The list of a package's files with their digests, and the check of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dse.errors import DseError, UsageError

FILE = "manifest.json"
FORMAT = 1


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(folder: Path, head: Mapping[str, Any]) -> None:
    """Write the manifest of all files in `folder`; `head` says what the package is."""
    files = {str(path.relative_to(folder)): digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    (folder / FILE).write_text(json.dumps({"format": FORMAT, **head, "files": files}, indent=1) + "\n")


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a package; UsageError where `folder` is none, DseError where the manifest is damaged."""
    path = folder / FILE
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        raise UsageError(
            f"{folder} is no package: it has no {FILE}. `dse package DIR --trial N --out PATH` makes one."
        ) from None
    except (OSError, ValueError) as error:
        raise DseError(f"{path} cannot be read: {error}. Make the package again.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise DseError(f"{path}: another format than {FORMAT}. Use the dse that made the package.")
    names = found.get("files")
    if not isinstance(names, dict) or not all(_inside(name) for name in names):
        raise DseError(f"{path}: its list of files is damaged. Make the package again.")
    return found


def _inside(name: object) -> bool:
    return isinstance(name, str) and not Path(name).is_absolute() and ".." not in Path(name).parts


def differences(folder: Path, found: Mapping[str, Any]) -> list[str]:
    """What is missing, changed or added since the package was made, in words; empty where all is as it was."""
    names: Mapping[str, str] = found["files"]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {FILE}
    told = [f"{name} is missing" for name in sorted(set(names) - there)]
    told += [f"{name} has changed" for name in sorted(set(names) & there) if digest(folder / name) != names[name]]
    return told + [f"{name} was added" for name in sorted(there - set(names))]
