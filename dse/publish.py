"""Files for others appear whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dse.errors import DseError


def publish(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all; an older one stays until then. DseError with the reason."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise DseError(f"{path} cannot be written: {error.strerror or error}. Choose another place with --out PATH.") from error
