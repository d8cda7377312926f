"""A compiled loop over rows, called in this process and over several: same numbers, typed ends, nothing left running."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dse import compiler, library
from dse.errors import StageFailed

#: y = (2 x, process id); the third column of a row says how its process ends.
UNIT = """
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
extern "C" void dse_emulate(const char *weights, double *x, double *y, long rows, long n_in, long n_out) {
    for (long row = 0; row < rows; ++row, x += n_in, y += n_out) {
        y[0] = 2 * x[0];
        y[1] = getpid();
        if (x[1] == 1) raise(SIGSEGV);
        if (x[1] == 2) raise(SIGKILL);
        if (x[1] == 3) exit(4);
        if (x[1] == 5) {
            fclose(fopen((std::string(weights) + "/" + std::to_string(getpid())).c_str(), "w"));
            for (;;) pause();
        }
    }
}
"""


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """The library of UNIT."""
    home = tmp_path_factory.mktemp("loop")
    (home / "unit.cpp").write_text(UNIT)
    compiler.compile_unit(
        ["-O1", *compiler.FLAGS, "-shared", f"{home}/unit.cpp", "-o", f"{home}/unit.so"], home / "compile.log"
    )
    return home / "unit.so"


@pytest.fixture
def shared(monkeypatch):
    """Three cores, and every row worth a process of its own."""
    monkeypatch.setattr(library, "SHARE_S", 1e-12)
    monkeypatch.setattr(library, "_here", library._Here(3))


def rows(n, last=0):
    """N rows of two numbers; `last` is the order to the process that gets the last row."""
    found = np.column_stack([np.arange(n, dtype=float), np.zeros(n)])
    found[-1:, 1] = last
    return found


@pytest.mark.parametrize(("n", "processes"), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 3), (5, 4), (50, 4)])
def test_rows_are_shared_between_processes(loop, shared, tmp_path, n, processes):
    """The first two rows are computed here, and the rest by up to three processes: each row once, in its place."""
    found = library.outputs(loop, tmp_path, rows(n), 2)
    assert found[:, 0].tolist() == [2.0 * i for i in range(n)]
    assert len(set(found[:, 1]) | {os.getpid()}) == processes


def test_quick_rows_stay_here(loop, tmp_path):
    """Where a process would take longer to start than it saves."""
    assert set(library.outputs(loop, tmp_path, rows(1000), 2)[:, 1]) == {os.getpid()}


def test_large_inputs_are_handed_over_in_batches(loop, shared, tmp_path, monkeypatch):
    """Seven rows at a time: every row is there, computed by more processes than there are cores, one batch after the other."""
    monkeypatch.setattr(library, "BATCH_BYTES", 7 * 16)
    found = library.outputs(loop, tmp_path, rows(30), 2)
    assert found[:, 0].tolist() == [2.0 * i for i in range(30)]
    assert len(set(found[:, 1])) == 1 + 4 * 3


def test_a_worker_uses_its_share(loop, shared, tmp_path):
    """One of several workers on a machine keeps to the cores that it was given."""
    library.use(1)
    assert set(library.outputs(loop, tmp_path, rows(50), 2)[:, 1]) == {os.getpid()}


@pytest.mark.parametrize(("order", "kind"), [(1, "crash"), (2, "memory"), (3, "crash")])
def test_a_process_that_dies_is_a_typed_failure(loop, shared, tmp_path, order, kind):
    """A signal, a kill from outside, an exit in the middle: known at once, however long the others would go on."""
    x = rows(50, last=order)
    x[20, 1] = 5  # another share waits for ever
    start = time.monotonic()
    with pytest.raises(StageFailed) as caught:
        library.outputs(loop, tmp_path, x, 2)
    assert caught.value.kind == kind
    assert time.monotonic() - start < 60
    assert_gone(tmp_path)


def assert_gone(folder):
    """The processes that waited for ever, of which there was one, have ended and been waited for."""
    pids = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_processes_die_with_their_parent(loop, tmp_path):
    """A worker that is killed leaves no process computing."""
    code = f"""
import numpy as np
from pathlib import Path
from dse import library
library.SHARE_S = 1e-12
library.use(2)
x = np.zeros((50, 2))
x[2:, 1] = 5
library.outputs(Path({str(loop)!r}), Path({str(tmp_path)!r}), x, 2)
"""
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(list(tmp_path.iterdir())) == 2
        parent.send_signal(signal.SIGKILL)
    assert_gone(tmp_path)


def test_a_damaged_library_cannot_be_loaded(tmp_path):
    """The caller compiles it again."""
    (tmp_path / "torn.so").write_bytes(b"\x7fELF")
    with pytest.raises(OSError, match=r"\.so"):
        library.outputs(tmp_path / "torn.so", tmp_path, rows(3), 2)
