"""The store: nothing is made twice, nothing half made is ever seen."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import FAILURE_KINDS, PASSING, PERMANENT, DseError, StageFailed
from dse.store import ENTRY_FILE, Store, key_of

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -0.25]) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=4,
)
causes_ = st.dictionaries(st.text("abc", max_size=2), plain, max_size=3)


@pytest.fixture
def store(tmp_path):
    found = Store(tmp_path / "root")
    found.prepare()
    return found


class Maker:
    """Writes `weights.txt` and a header into the draft and counts how often it was called; raises `failure` if there is one."""

    def __init__(self, text="0.5", failure=None):
        self.text, self.failure, self.calls = text, failure, 0

    def __call__(self, folder):
        self.calls += 1
        (folder / "weights.txt").write_text(self.text)
        (folder / "firmware").mkdir()
        (folder / "firmware" / "ap_fixed.h").write_text(f"// header {self.text}")
        if self.failure is not None:
            raise self.failure
        return {"accuracy": 0.5, "text": self.text}


def same(one, other):
    """Equal values of equal kinds: True is not 1, and 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@given(causes_, causes_)
def test_keys_are_equal_exactly_for_equal_causes(one, other):
    """Any change of a cause changes the key; the order in which causes are named does not."""
    assert (key_of("train", one) == key_of("train", other)) == same(one, other)
    assert key_of("train", one) == key_of("train", dict(reversed(one.items())))
    assert key_of("train", one) == key_of("train", json.loads(json.dumps(one)))
    assert key_of("train", one) != key_of("convert", one)
    assert len(key_of("train", one)) == 64


CAUSES = {
    "version": 1, "libraries": {"hls4ml": "1.3.0", "qkeras": "0.9.0"}, "model": "a1", "hardware": {"reuse_factor": 4},
    "part": "xc7z020", "clock_ns": 5.0, "layers": ["fc1", "out"], "calibration": None,
}  # fmt: skip


def changed(value):
    if isinstance(value, dict):
        return [{**value, name: new} for name in value for new in changed(value[name])] + [{**value, "more": 0}]
    if isinstance(value, list):
        return [value[::-1], value[:-1], [*value, value[0]]]
    return [f"{value}0", None if value is not None else 0]


def test_each_cause_changes_the_key():
    """Versions, libraries, keys upstream, knobs, part, clock, order of layers; one cause left out or added."""
    others = changed(CAUSES) + [{name: value for name, value in CAUSES.items() if name != left} for left in CAUSES]
    keys = {key_of("convert", other) for other in others}
    assert key_of("convert", CAUSES) not in keys
    assert len(keys) == len(others) > 25


def test_causes_that_are_no_json_are_refused():
    """Their text might change from process to process, or be the same for different things."""
    with pytest.raises(ValueError, match="Out of range float"):
        key_of("train", {"clock_ns": float("nan")})
    with pytest.raises(TypeError, match="not JSON serializable"):
        key_of("train", {"model": object()})


def test_an_entry_is_made_once_and_found_afterwards(store):
    """The second asker gets the same data and files without any making, and knows that it was not made for him."""
    make = Maker()
    fresh, again = store.get("train", {"seed": 1}, make), store.get("train", {"seed": 1}, make)
    assert make.calls == 1
    assert (fresh.fresh, again.fresh) == (True, False)
    assert (again.key, again.folder, again.data, again.seconds) == (fresh.key, fresh.folder, fresh.data, fresh.seconds)
    assert (again.folder / "weights.txt").read_text() == "0.5"
    assert again.folder == store.path("train", key_of("train", {"seed": 1}))
    assert list(store.entries()) == [again.folder]


def test_a_new_entry_says_what_a_found_one_will_say(store):
    """Tuples come back as lists: a stage that reads its own fresh data must see what the next process sees."""
    fresh = store.get("train", {}, lambda _: {"shape": (3, 4), 5: "five"})
    assert fresh.data == store.get("train", {}, Maker()).data == {"shape": [3, 4], "5": "five"}


def test_other_causes_are_another_entry(store):
    """Each has its own files."""
    entries = [store.get("train", {"seed": seed}, Maker(str(seed))) for seed in range(5)]
    assert [(entry.folder / "weights.txt").read_text() for entry in entries] == [*"01234"]
    assert sorted(store.entries()) == sorted(entry.folder for entry in entries)


def test_the_causes_stand_in_the_entry(store):
    """Whoever wonders why two designs share nothing can compare two files."""
    entry = store.get("train", CAUSES, Maker())
    assert json.loads((entry.folder / ENTRY_FILE).read_text())["causes"] == CAUSES


def test_nothing_is_to_be_seen_while_it_is_made(store):
    """Published by one rename: a half-made entry is neither found nor listed."""
    key = key_of("train", {})

    def make(folder):
        (folder / "half").write_text("x")
        assert store.find("train", key) is None
        assert list(store.entries()) == []
        return {}

    store.get("train", {}, make)
    assert store.find("train", key) is not None
    assert list((store.folder / "drafts").iterdir()) == []


@pytest.mark.parametrize("kind", PERMANENT)
def test_a_failure_of_the_design_is_remembered(store, kind):
    """The same design fails the same way: no second try, the same kind, message and log."""
    make = Maker(failure=StageFailed(kind, "layer fc1: no", "long log"))
    for _ in range(3):
        with pytest.raises(StageFailed, match="layer fc1: no") as told:
            store.get("convert", {}, make)
        assert (told.value.kind, told.value.log) == (kind, "long log")
    assert make.calls == 1


@pytest.mark.parametrize("kind", PASSING)
def test_a_failure_of_the_machine_is_not_remembered(store, kind):
    """The next one tries again, and succeeds."""
    with pytest.raises(StageFailed) as told:
        store.get("emulate", {}, Maker(failure=StageFailed(kind, "later")))
    assert told.value.kind == kind
    assert list(store.entries()) == []
    assert store.get("emulate", {}, Maker()).fresh


def test_a_remembered_failure_is_tried_again_on_request(store):
    """Of the kinds that are named and of no others; what it becomes then is remembered."""
    for kind in ("tool", "report"):
        with pytest.raises(StageFailed):
            store.get("synthesize", {"kind": kind}, Maker(failure=StageFailed(kind, "old")))
    retrying = Store(store.root, frozenset(["tool"]))
    assert retrying.get("synthesize", {"kind": "tool"}, Maker()).fresh
    with pytest.raises(StageFailed, match="old"):
        retrying.get("synthesize", {"kind": "report"}, Maker())
    assert not store.get("synthesize", {"kind": "tool"}, Maker()).fresh


def test_a_failed_try_again_is_remembered_with_its_new_reason(store):
    """The newer log is the one that counts."""
    for text in ("old", "new"):
        with pytest.raises(StageFailed, match=text):
            Store(store.root, frozenset(["tool"])).get("synthesize", {}, Maker(failure=StageFailed("tool", text)))
    with pytest.raises(StageFailed, match="new"):
        store.get("synthesize", {}, Maker())


def test_any_other_error_leaves_nothing_behind_that_counts(store):
    """A mistake of the program is raised as it is; its half-made files are gone from the next try."""

    def broken(folder):
        (folder / "rubbish").write_text("x")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.get("train", {}, broken)
    entry = store.get("train", {}, Maker())
    assert not (entry.folder / "rubbish").exists()


@pytest.mark.parametrize("data", [{"accuracy": float("nan")}, {"model": object()}])
def test_data_that_are_no_json_are_refused(store, data):
    """A NaN must not become a remembered figure."""
    with pytest.raises((ValueError, TypeError)):
        store.get("train", {}, lambda _: data)
    assert list(store.entries()) == []
    assert store.get("train", {}, Maker()).fresh


def harm_gone(folder):
    (folder / "weights.txt").unlink()


def harm_short(folder):
    (folder / "firmware" / "ap_fixed.h").unlink()
    (folder / "firmware" / "ap_fixed.h").write_text("/")


def harm_torn_entry(folder):
    (folder / ENTRY_FILE).write_text('{"stage": "tr')


def harm_foreign_entry(folder):
    (folder / ENTRY_FILE).write_text("[]")


def harm_empty_entry(folder):
    (folder / ENTRY_FILE).write_text("{}")


@pytest.mark.parametrize("harm", [harm_gone, harm_short, harm_torn_entry, harm_foreign_entry, harm_empty_entry])
def test_an_entry_whose_files_are_gone_is_made_again(store, harm, caplog):
    """Someone tidied up, or the power failed: a warning names the folder, and the entry is whole afterwards."""
    first = store.get("train", {}, Maker())
    harm(first.folder)
    with caplog.at_level(logging.WARNING):
        assert store.find("train", first.key) is None
    assert f"{first.folder}: " in caplog.text
    assert "the entry is made again" in caplog.text
    make = Maker()
    again = store.get("train", {}, make)
    assert (make.calls, again.fresh, again.data) == (1, True, first.data)
    assert (again.folder / "weights.txt").read_text() == "0.5"
    assert not store.get("train", {}, make).fresh


def test_an_entry_without_its_entry_file_is_no_entry(store):
    """What `dse clean` has half removed."""
    first = store.get("train", {}, Maker())
    (first.folder / ENTRY_FILE).unlink()
    assert list(store.entries()) == []
    assert store.get("train", {}, Maker()).fresh


def test_a_journal_of_what_was_made(store):
    """One line per published entry, failed ones too, and none for what was only found."""
    store.get("train", {}, Maker())
    store.get("train", {}, Maker())
    with pytest.raises(StageFailed):
        store.get("convert", {}, Maker(failure=StageFailed("tool", "no")))
    lines = [json.loads(line) for line in (store.folder / "made.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["pid"]) for line in lines] == [("train", os.getpid()), ("convert", os.getpid())]
    assert all(line["seconds"] >= 0 for line in lines)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["os.fsync", "os.rename", "os.mkdir", "io.open"])
def test_a_full_disk_is_a_passing_failure(store, monkeypatch, call, number):
    """Wherever the system says so: `disk`, what to do, no entry; and with space again the entry is made."""
    module, name = call.split(".")
    real, begun = getattr(sys.modules[module], name), []

    def full(*arguments, **options):
        if (begun and str(store.root) in str(arguments[0])) or (begun and name == "fsync"):
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    def make(folder):
        found = Maker()(folder)
        begun.append(True)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(f"{module}.{name}", full)
        with pytest.raises(StageFailed, match=rf"{os.strerror(number)}\. Free space, then run the same command again") as told:
            store.get("train", {}, make)
    assert told.value.kind == "disk"
    assert begun
    assert list(store.entries()) == []
    assert store.get("train", {}, Maker()).fresh


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a Linux device that is always full")
def test_a_stage_that_fills_the_disk_fails_with_disk(store):
    """A real ENOSPC out of the stage's own writing."""

    def make(_):
        with Path("/dev/full").open("w") as file:
            file.write("x" * 100_000)
        return {}

    with pytest.raises(StageFailed) as told:
        store.get("train", {}, make)
    assert told.value.kind == "disk"
    assert store.get("train", {}, Maker()).fresh


def test_another_error_of_the_system_is_not_called_a_full_disk(store):
    """Free space would not help."""
    with pytest.raises(OSError, match="Input/output"):
        store.get("train", {}, Maker(failure=OSError(errno.EIO, "Input/output error")))


def test_a_root_where_nothing_can_be_written_is_refused_at_once(tmp_path, monkeypatch):
    """Before the first trial: a file in the way, a read-only file system; the reason and what to do."""
    (tmp_path / "file").write_text("")
    said = r"store cannot be used: .*\. Choose a local, writable folder with --root DIR"
    with pytest.raises(DseError, match=said):
        Store(tmp_path / "file").prepare()

    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr("os.mkdir", read_only)
        with pytest.raises(DseError, match="Read-only file system"):
            Store(tmp_path / "root").prepare()


def test_a_root_that_has_become_read_only_is_refused_at_once(store, monkeypatch):
    """The folders are there from an earlier run, and still nothing can be written: permission bits do not bind root."""
    real = os.open

    def read_only(path, flags, *rest, **options):
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *rest, **options)

    def open_(path, mode="r", *rest, **options):
        if set(mode) & set("wax+"):
            raise OSError(errno.EROFS, "Read-only file system")
        return real_open(path, mode, *rest, **options)

    real_open = io.open
    monkeypatch.setattr("os.open", read_only)
    monkeypatch.setattr("io.open", open_)
    with pytest.raises(DseError, match="Read-only file system"):
        store.prepare()


def test_a_root_that_belongs_to_someone_else_is_refused(tmp_path):
    """The everyday way to it, in a process without root's rights: permission bits do not bind root."""
    tmp_path.chmod(0o555)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            Store(tmp_path / "root").prepare()
        except DseError as error:
            code = 0 if "Permission denied. Choose a local, writable folder" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_file_system_that_cannot_lock_is_refused_at_once(tmp_path, monkeypatch):
    """Two workers would make the same thing, or each other's half."""

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(DseError, match=r"No locks available\. Choose a local, writable folder"):
        Store(tmp_path).prepare()


def test_a_lock_file_that_is_removed_while_someone_waits_is_locked_anew(store, monkeypatch):
    """Tidying up removes lock files: a lock on a file that is gone keeps nobody out."""
    real, removed = fcntl.flock, []

    def flock(file, how):
        real(file, how)
        path = Path(file.name)
        if not removed and path.name.startswith("train-"):
            removed.append(path)
            path.unlink()

    def make(_):
        with removed[0].open() as file, pytest.raises(BlockingIOError):
            real(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return {}

    monkeypatch.setattr("fcntl.flock", flock)
    assert store.get("train", {}, make).fresh


def inode(entry):
    return (entry.folder / "firmware" / "ap_fixed.h").stat().st_ino


def test_headers_are_kept_once(store):
    """hls4ml copies the same sources into every project; equal ones are one file on the disk, different ones are not."""
    one, two, three = (store.get("convert", {"n": n}, Maker(text)) for n, text in enumerate(["a", "a", "b"]))
    assert inode(one) == inode(two) != inode(three)
    assert (one.folder / "firmware" / "ap_fixed.h").read_text() == "// header a"
    assert [path.name for path in (one.folder / "firmware").iterdir()] == ["ap_fixed.h"]
    assert (one.folder / "weights.txt").stat().st_nlink == 1
    assert not (one.folder / "firmware" / "ap_fixed.h").stat().st_mode & 0o222


@pytest.mark.parametrize("call", ["os.link", "os.replace"])
def test_a_file_system_without_hard_links_keeps_copies(store, monkeypatch, call):
    """More space and nothing else: the entries are whole, and nothing lies about."""

    def refused(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(call, refused)
    one, two = (store.get("convert", {"n": n}, Maker("a")) for n in range(2))
    assert inode(one) != inode(two)
    assert [path.name for path in (two.folder / "firmware").iterdir()] == ["ap_fixed.h"]
    assert not store.get("convert", {"n": 1}, Maker()).fresh


def test_a_moved_root_answers_everything(store, tmp_path):
    """Nothing in it depends on its path: entries, remembered failures, shared headers; no file names the old place."""
    for n in range(3):
        store.get("train", {"n": n}, Maker(str(n)))
    with pytest.raises(StageFailed):
        store.get("convert", {}, Maker(failure=StageFailed("tool", "no", "log")))
    old = str(store.root).encode()
    store.root.rename(tmp_path / "elsewhere")
    moved = Store(tmp_path / "elsewhere")
    moved.prepare()
    for n in range(3):
        entry = moved.get("train", {"n": n}, Maker("other"))
        assert (entry.fresh, entry.data["text"]) == (False, str(n))
        assert (entry.folder / "weights.txt").read_text() == str(n)
        assert entry.folder.is_relative_to(tmp_path / "elsewhere")
    with pytest.raises(StageFailed, match="no"):
        moved.get("convert", {}, Maker())
    assert not any(old in path.read_bytes() for path in moved.root.rglob("*") if path.is_file())


# Real processes. Each says `making` when it begins to make and `done` with what it got.
ASKER = """
import os, sys, time
from pathlib import Path
from dse.store import Store
root, seconds, first, count = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])

def make(folder):
    with (root / "makers").open("a") as file:
        file.write(f"{n}\\n")
    for part in range(20):
        (folder / f"part{part}").write_text(f"{n} {part}\\n" * (1 + n % 7))
        time.sleep(seconds / 20)
        if part == 0:
            print("making", flush=True)
    return {"n": n, "maker": os.getpid()}

for n in range(first, first + count):
    entry = Store(root).get("train", {"n": n}, make)
    print("done", entry.data["maker"], flush=True)
"""


def ask(store, seconds, first=0, count=1):
    words = [sys.executable, "-c", ASKER, str(store.root), str(seconds), str(first), str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_racing_processes_make_each_entry_once(store):
    """Six processes ask for the same four entries at once: each is made by one, and all get the same."""
    racers = [ask(store, 0.02, count=4) for _ in range(6)]
    said = [racer.communicate(timeout=300)[0].splitlines() for racer in racers]
    assert sorted((store.root / "makers").read_text().split()) == ["0", "1", "2", "3"]
    got = [[line for line in lines if line.startswith("done")] for lines in said]
    assert len(got[0]) == 4
    assert all(lines == got[0] for lines in got)


def test_a_killed_maker_leaves_no_entry_and_who_waits_makes_it(store):
    """SIGKILL in the middle: its lock is free with its death, its half is thrown away."""
    maker = ask(store, 30)
    assert maker.stdout is not None
    assert maker.stdout.readline() == "making\n"
    waiter = ask(store, 0.02)
    maker.send_signal(signal.SIGKILL)
    maker.communicate(timeout=300)
    assert waiter.communicate(timeout=300)[0].splitlines()[-1] == f"done {waiter.pid}"
    assert (store.root / "makers").read_text().split() == ["0", "0"]
    entry = store.get("train", {"n": 0}, Maker())
    assert (entry.fresh, entry.data["maker"]) == (False, waiter.pid)
    assert len(list(entry.folder.iterdir())) == 21


def test_whatever_is_found_after_kills_is_whole(store):
    """Two processes make entries one after the other and are killed at random moments, again and again."""
    pick = random.Random(2)
    for _ in range(8):
        pair = [ask(store, 0.01, first, 400) for first in (0, 100)]
        for asker in pair:
            assert asker.stdout is not None
            for _ in range(2):  # one new entry is made, another begun
                while asker.stdout.readline() != "making\n":
                    pass
        time.sleep(pick.random() / 10)
        for asker in pair:
            asker.send_signal(signal.SIGKILL)
            asker.communicate(timeout=300)
    found = [store.find(folder.parents[1].name, folder.name) for folder in store.entries()]
    assert len(found) >= 16
    for entry in found:
        assert entry is not None
        n = entry.data["n"]
        parts = {f"part{part}": f"{n} {part}\n" * (1 + n % 7) for part in range(20)}
        assert {path.name: path.read_text() for path in entry.folder.glob("part*")} == parts


def test_every_kind_of_failure_is_either_remembered_or_not(store):
    """No kind is left undecided."""
    for kind in FAILURE_KINDS:
        with pytest.raises(StageFailed):
            store.get("emulate", {"kind": kind}, Maker(failure=StageFailed(kind, "x")))
    assert len(list(store.entries())) == len(PERMANENT)


def test_a_relative_root_means_one_place_wherever_programs_run(tmp_path, monkeypatch):
    """The default root is `runs`: its entries' paths are whole, since compilers are run in other folders."""
    monkeypatch.chdir(tmp_path)
    store = Store(Path("runs"))
    store.prepare()
    entry = store.get("train", {"n": 1}, lambda folder: {"at": str(folder)})
    assert entry.folder.is_absolute()
    assert entry.data["at"].startswith(str(tmp_path))
