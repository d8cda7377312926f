"""Verilog simulators for tests, from Debian."""

from __future__ import annotations

import shutil

from debian import needed


def simulator(name):
    """The path of `iverilog` or `verilator`; root installs the Debian package, others skip with the reason."""
    return needed(name, lambda: shutil.which(name), name)
