"""What tests need of Debian: root installs it, others skip with the reason."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

LOCK = Path(tempfile.gettempdir()) / f"dse-tests-debian-{os.getuid()}.lock"


def needed(name, there, *packages):
    """What `there()` finds; where that is None, the packages are installed first by root, one process at a time."""
    found, told = there(), ""
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with LOCK.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found, told = there(), ""
            if found is None:
                told = _install(packages)
                found = there()
    if found is None:
        reason = f"cannot be installed: {told}" if told else f"is not installed (Debian: apt install {' '.join(packages)})"
        pytest.skip(f"{name} {reason}")
    return found


def _install(packages):
    """Install them; returns the end of what was said."""
    subprocess.run(["apt-get", "-qq", "update"], check=False, capture_output=True)
    command = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    return done.stderr.strip()[-200:]
