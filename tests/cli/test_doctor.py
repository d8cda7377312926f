"""`dse doctor`: what is installed and what is not."""

import importlib.metadata

import pytest

from dse.cli.manage import findings


def finding(name):
    return next(row for row in findings() if row.name == name)


@pytest.mark.parametrize("library", ["alkaid", "pyosys"])
def test_open_tools_are_told_with_their_version_or_with_how_to_get_them(library, monkeypatch):
    """Libraries that are there state their version; one that is missing has none, and a way to get it."""
    pytest.importorskip(library)
    assert finding(library).version == importlib.metadata.version(library)
    known = importlib.metadata.version

    def missing(name):
        if name == library:
            raise importlib.metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert finding(library).version == ""
    assert "dse[open]" in finding(library).how_to_get


def test_a_simulator_is_told_with_its_version_or_with_how_to_get_it(tmp_path, monkeypatch):
    """A program that is there states its own version; one that is missing has none, and a way to get it."""
    program = tmp_path / "iverilog"
    program.write_text("#!/bin/sh\necho 'Icarus Verilog version 11.0 (stable) ()'\n")
    program.chmod(0o755)
    monkeypatch.setenv("DSE_IVERILOG", str(program))
    assert finding("iverilog").version == "11.0"
    monkeypatch.setenv("DSE_IVERILOG", str(tmp_path / "missing"))
    assert finding("iverilog").version == ""
    assert "missing" in finding("iverilog").how_to_get
