"""What the logs of the vendor's tools mean: a failed run as a typed failure with what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sign:
    """What a line of a log means: the failure's kind, what to do, and whether waiting may help."""

    pattern: str
    kind: str
    advice: str
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a run failed; `waits`: the same call may work a little later."""

    kind: str
    message: str
    waits: bool = False


#: The first that is found anywhere in a log counts: the unrolling limit, for one, speaks of excessive memory too.
SIGNS = (
    Sign(
        r"Stop unrolling loop",
        "tool",
        "The layer is too large to unroll: raise its reuse factor with the resource strategy, or use io_stream.",
    ),
    Sign(
        r"\[HLS 200-1023\]|\[Coretcl 2-106\]|\[Device 21-436\]",
        "licence",
        "The part is not installed, or not licensed, in this installation: add it with AMD's installer or licence manager.",
    ),
    Sign(
        r"\[Common 17-34[58]\]|valid license was not found|[Ll]icense check-?\s?out failed|FLEX(?:net|lm)\b"
        r"|Licensed number of users already reached",
        "licence",
        "No licence was given: check XILINXD_LICENSE_FILE and the licence server, or run fewer at once.",
        waits=True,
    ),
    Sign(
        r"No space left on device|Disk quota exceeded", "disk", "The disk is full: make room, then run the same command again."
    ),
    Sign(
        r"\bKilled\b.*RDI_PROG|Killed signal terminated program"
        r"|std::bad_alloc|[Cc]annot allocate memory|\b[Oo]ut of memory|[Ee]xcessive memory",
        "memory",
        "Memory ran out: run fewer at once, or raise the reuse factor.",
    ),
    Sign(
        r"Abnormal program termination|[Ss]egmentation (?:fault|violation)|unexpected error has occurred|Stack dump:",
        "crash",
        "The tool crashed; its complete log says where.",
    ),
)
#: Lines that say nothing of why a run failed.
_CHATTER = re.compile(r"\s*(?:INFO|WARNING|CRITICAL WARNING)\b")
_ERROR = re.compile(r"\s*(?:ERROR|FATAL)\b")


def diagnose(tool: str, log: Path, kind: str, ended: str) -> Diagnosis:
    """What the log of a failed run of `tool` shows; `kind` and `ended` (how it ended) where none of `SIGNS` is in it."""
    signs = [(re.compile(sign.pattern), sign) for sign in SIGNS]
    seen: dict[Sign, str] = {}
    first = ""
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if _CHATTER.match(line):
                continue
            if not first and _ERROR.match(line):
                first = line.strip()
            for pattern, sign in signs:
                if sign not in seen and pattern.search(line):
                    seen[sign] = line.strip()
    for sign in SIGNS:
        if sign in seen:
            return Diagnosis(sign.kind, f"{tool}: {seen[sign]} {sign.advice}", sign.waits)
    return Diagnosis(kind, f"{tool}: {first or ended} The complete log is {log.name}.")
