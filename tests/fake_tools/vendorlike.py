"""What the fake tools share: they note how they were called, misbehave on demand, and run the Tcl script they are given.

FAKE_CALLS names the file of notes, FAKE_MODE the misbehaviour, FAKE_VERSION the version, FAKE_REPORTS the folder of reports.
"""

import json
import os
import signal
import sys
import time
import tkinter as tk
from pathlib import Path

MODE = os.environ.get("FAKE_MODE", "")
REPORTS = Path(os.environ["FAKE_REPORTS"])
TROUBLE = {
    "licence": "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xc7z020'.",
    "part": "ERROR: [HLS 200-1023] Part 'xc7z020-clg400-1' is not installed.",
    "unroll": "ERROR: [XFORM 203-504] Stop unrolling loop 'Product1' because it may cause large runtime and excessive memory "
    "usage due to increase in code size.",
    "memory": '/opt/bin/rdiArgs.sh: line 280:  2555 Killed                  "$RDI_PROG" "$@"',
    "disk": "write error: No space left on device",
    "refused": "ERROR: [HLS 207-3] no matching function for call to 'dense'",
    "quiet": "",
}


def note(**what):
    with Path(os.environ["FAKE_CALLS"]).open("a") as file:
        file.write(json.dumps(what) + "\n")


def begin(name, asking):
    """Answer for the version, note the call, and misbehave where that is asked for."""
    if sys.argv[1:] == asking:
        sys.stdout.write(f"****** {name} v{os.environ.get('FAKE_VERSION', '2023.2')} (64-bit)\n  **** SW Build 4023990\n")
        sys.exit(0)
    note(tool=name, argv=sys.argv[1:], cwd=Path.cwd().name)
    sys.stdout.write(f"INFO: {name} begins; out of memory is no danger here\n")
    sys.stdout.flush()
    if MODE == "licence_once" and not Path(os.environ["FAKE_CALLS"] + ".asked").exists():
        Path(os.environ["FAKE_CALLS"] + ".asked").touch()
        sys.exit(TROUBLE["licence"])
    if MODE in TROUBLE:
        sys.exit(TROUBLE[MODE] or 1)
    if MODE == "hang":
        time.sleep(600)
    if MODE == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if MODE == "abnormal":
        sys.exit("Abnormal program termination (11)")
    if MODE == "killed":
        os.kill(os.getpid(), signal.SIGKILL)


def report(source, target, top="myproject"):
    """Write one of the small reports of the tests under the name that the tool would choose; half of it on demand."""
    text = (REPORTS / source).read_text().replace("'net'", f"'{top}'")
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    if MODE != "no_report":
        Path(target).write_text(text[: len(text) // 2] if MODE == "half" else text)


def run(script, commands):
    """Evaluate the script in a real Tcl; the vendor's commands note themselves, and `commands` do more than that."""
    tcl = tk.Tcl()

    def define(name):
        def command(*words):
            note(tcl=[name, *map(str, words)])
            return commands[name](*words) if commands[name] else ""

        tcl.createcommand(name, command)

    def leave(code="0"):
        tcl.eval("flush stdout")
        os._exit(int(code))

    tcl.createcommand("exit", leave)
    for name in commands:
        define(name)
    tcl.eval(f"source {{{script}}}")
