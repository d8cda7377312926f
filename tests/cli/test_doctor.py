"""`dse doctor`: what is installed and what is not."""

from dse.cli.manage import findings


def finding(name):
    return next(row for row in findings() if row.name == name)


def test_yosys_is_told_with_its_version_or_with_how_to_get_it(tmp_path, monkeypatch):
    """A program that is there states its own version; one that is missing has none, and a way to get it."""
    program = tmp_path / "yosys"
    program.write_text("#!/bin/sh\necho 'Yosys 0.23 (git sha1 7ce5011c24b)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("DSE_YOSYS", str(program))
    assert finding("yosys").version == "0.23"
    monkeypatch.setenv("DSE_YOSYS", str(tmp_path / "missing"))
    assert finding("yosys").version == ""
    assert "missing" in finding("yosys").how_to_get
