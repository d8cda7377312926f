"""Verilog simulators for tests, from Debian."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def simulator(name):
    """The path of `iverilog` or `verilator`; root installs the Debian package, others skip with the reason."""
    found = shutil.which(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "-qq", "update"], check=False, capture_output=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", name]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"{name} cannot be installed: {done.stderr.strip()[-200:]}")
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt install {name})")
    return found
