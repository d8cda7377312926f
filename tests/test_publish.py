"""Files appear whole or not at all."""

from __future__ import annotations

import pytest

from dse.errors import DseError
from dse.publish import publish


def test_publishing_replaces_a_file_whole(tmp_path):
    """The new content stands there, and nothing is left beside it."""
    path = tmp_path / "front.csv"
    path.write_text("old")
    publish(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    """A full disk halfway through: the old file is whole, the half of the new one is gone, the message says why."""
    path = tmp_path / "front.csv"
    path.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dse.publish.os.fsync", full)
    with pytest.raises(DseError, match="No space left on device"):
        publish(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    """What, where and what to do."""
    with pytest.raises(DseError, match=r"nowhere/x\.csv cannot be written: No such file or directory.*--out"):
        publish(tmp_path / "nowhere" / "x.csv", b"")
