"""What workers say while they are busy, and what a person sees of it."""

import re
from io import StringIO

from build_run import goals
from rich.console import Console

from dse import busy
from dse.sweep.progress import Show


def test_the_last_word_can_be_read_for_as_long_as_the_work_lasts(tmp_path):
    """Nothing stays behind, and nothing is said where nobody listens."""
    busy.log.info("to nobody")
    with busy.telling(tmp_path):
        assert busy.told(tmp_path) == []
        for epoch in (1, 2):
            busy.log.info("training %d networks, epoch %d/3", 4, epoch)
        assert busy.told(tmp_path) == ["training 4 networks, epoch 2/3"]
    assert busy.told(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_has_left_is_forgotten(tmp_path):
    """Also a message that was being written."""
    for name in ("busy-12", "busy-13", "busy-13.new"):
        (tmp_path / name).write_text("training")
    assert busy.told(tmp_path) == ["training", "training"]
    busy.forget(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_bar_says_what_the_workers_are_busy_with():
    """One worker's words, and how many more there are; nothing once they are done."""
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=200)
    with Show(console, goals(), 10) as show:
        show.busy(["training 32 networks, epoch 3/20", "training 8 networks, epoch 1/20"])
        show._bar.refresh()
        assert "training 32 networks, epoch 3/20 +1" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
        show.busy([])
        out.truncate(0)
        show._bar.refresh()
        assert "training" not in out.getvalue()
