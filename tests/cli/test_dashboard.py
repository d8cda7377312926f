"""`dse dashboard`: what it says before it serves, and what it refuses."""

from __future__ import annotations

import importlib.util
import re
import signal
import subprocess
import sys
import urllib.request

import pytest
from build_run import build_run

from dse.cli import main


def refused(capsys, *words):
    """The exit code and message of a call that does not serve."""
    with pytest.raises(SystemExit) as ended:
        main(["dashboard", *map(str, words)])
    return ended.value.code, capsys.readouterr().err


def test_without_its_libraries_it_says_how_to_get_them(tmp_path, monkeypatch, capsys):
    """One line, with the extra's name."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "dash" else find(name, *rest))
    assert refused(capsys, build_run(tmp_path / "digits", 3).folder) == (
        1,
        'dse: The dashboard needs dash, which is not installed: pip install "dse[dashboard]".\n',
    )


def test_what_is_no_sweep_is_refused(tmp_path, capsys):
    """As by every other verb; so is a port that is none, and a host that is a socket."""
    assert refused(capsys, tmp_path)[0] == 2
    assert refused(capsys, build_run(tmp_path / "digits", 3).folder, "--port", "70000")[0] == 2
    assert refused(capsys, tmp_path / "digits", "--host", "unix:///tmp/x")[0] == 2


def test_a_host_that_cannot_be_had_is_one_message(tmp_path, capsys):
    """With what to do."""
    code, told = refused(capsys, build_run(tmp_path / "digits", 3).folder, "--host", "203.0.113.7", "--port", "0")
    assert code == 1
    assert "cannot listen there" in told
    assert "Choose another with --port or --host." in told


def test_it_prints_its_address_serves_there_and_ends_with_ctrl_c(tmp_path):
    """On this machine alone; nothing is left behind."""
    folder = build_run(tmp_path / "digits", 5).folder
    code = "from dse.cli import main; main()"
    words = [sys.executable, "-c", code, "dashboard", str(folder), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout.readline() == "digits: 5 trials, not running\n"
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        assert b"<title>dse</title>" in urllib.request.urlopen(address).read()
        server.send_signal(signal.SIGINT)
        assert server.wait(30) in (0, 130)
        assert server.stderr.read() == ""
    assert sorted(path.name for path in folder.iterdir()) == ["records.jsonl", "study.json"]
