"""Lines of the vendor's logs and what they mean."""

from __future__ import annotations

import pytest

from dse.symptoms import diagnose

LINES = [
    (
        "ERROR: [XFORM 203-504] Stop unrolling loop 'P' because it may cause large runtime and excessive memory usage.",
        "tool",
        False,
    ),
    ("ERROR: [HLS 200-1023] Part 'xcvu13p-flga2577-2-e' is not installed.", "licence", False),
    ("ERROR: [Coretcl 2-106] Specified part could not be found.", "licence", False),
    ("ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xcku060'.", "licence", True),
    ("Licensed number of users already reached. (-4,342)", "licence", True),
    ("ERROR: License check-out failed for 'vivado_implementation'", "licence", True),
    ('bin/rdiArgs.sh: line 280:  2555 Killed                  "$RDI_PROG" "$@"', "memory", False),
    ("terminate called after throwing an instance of 'std::bad_alloc'", "memory", False),
    ("ERROR: [Common 17-49] Out of memory", "memory", False),
    ("write failed: No space left on device", "disk", False),
    ("Abnormal program termination (11)", "crash", False),
    ("ERROR: [HLS 200-70] Pre-synthesis failed.", "tool", False),
]


@pytest.mark.parametrize(("line", "kind", "waits"), LINES)
def test_a_line_means_its_kind_among_a_thousand_others(tmp_path, line, kind, waits):
    """The line is quoted in the message; what the tool merely informs or warns of means nothing."""
    chatter = (
        "INFO: [HLS 200-10] free memory: No space left on device is impossible\nWARNING: out of memory soon, license expires\n"
    )
    (tmp_path / "x.log").write_text(chatter * 500 + line + "\n" + chatter * 500)
    found = diagnose("Vitis HLS 2023.2", tmp_path / "x.log", "tool", "exit code 1.")
    assert (found.kind, found.waits) == (kind, waits)
    assert found.message.startswith(f"Vitis HLS 2023.2: {line}")


def test_the_first_error_is_quoted_where_nothing_is_known_of_it(tmp_path):
    """Later errors are mostly consequences; without any the way it ended is all that there is."""
    log = tmp_path / "x.log"
    log.write_text("INFO: fine\nERROR: [A 1] first\nERROR: [B 2] second\n")
    assert diagnose("T", log, "tool", "exit code 1.").message == "T: ERROR: [A 1] first The complete log is x.log."
    log.write_text("nothing\n")
    assert (
        diagnose("T", log, "crash", "T was ended by signal 6.").message
        == "T: T was ended by signal 6. The complete log is x.log."
    )
