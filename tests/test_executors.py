"""Worker processes, as they are started and ended."""

import subprocess
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parents[1]
#: An argument that cannot be loaded: what a worker finds that comes to life after the pool's semaphores are gone.
GONE = """
    import sys
    from multiprocessing.context import ForkServerContext
    from pathlib import Path
    from dse import executors

    class Gone:
        def __reduce__(self):
            return open, ("/nowhere/at/all",)

    started = executors._Forked(target=print, args=(Gone(),), log=Path(sys.argv[1]))
    started.start()
    started.join(60)
    print("ended with", started.exitcode)
"""


def test_a_worker_that_cannot_even_start_says_so_in_the_log_and_not_on_the_terminal(tmp_path):
    """A sweep may end while a worker is being started: what that worker says of it is not for the user."""
    log = tmp_path / "log"
    command = [sys.executable, "-c", textwrap.dedent(GONE), str(log)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True, timeout=300)
    assert (done.stdout, done.stderr) == ("ended with 1\n", "")
    assert "/nowhere/at/all" in log.read_text()
