"""How many members are trained at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dse.nn.layers import CONVOLUTIONS
from dse.nn.population.topology import Topology

#: More at once save little time, and a batch that is not full is filled up. Another number rounds otherwise: raise VERSION.
MOST = 32
#: Members above this size keep the cores busy by themselves: a step of 32 costs eight of 4 (measured on jets and digits_cnn),
#: and a sweep that learns asks for no more than a few at once, so that most of a larger batch would only fill it up.
BUSY, MOST_BUSY = 1 << 20, 4
#: What the members of a batch may take together, in bytes.
BUDGET = 1 << 30
#: Copies of a member's weights and of its layers' outputs for a batch that live at once, a little more than was measured.
WEIGHTS, OUTPUTS = 10, 4
FLOAT = 4
#: Where the kernel says what is used and what is left.
PROC, SYS = Path("/proc"), Path("/sys/fs/cgroup")
#: By controller: the folder of all groups, a group's limit, its use, and its pages of files that are not in use.
GROUPS = {
    "memory": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    "": ("", "memory.max", "memory.current", "inactive_file"),
}


def member_bytes(topology: Topology, batch_size: int) -> int:
    """What one member takes while it is trained, roughly: a convolution's windows are spread out beside its output."""
    weights = sum(math.prod(shape) for layer in topology for shape in layer.arrays)
    outputs = sum(math.prod(layer.shape) for layer in topology)
    outputs += sum(math.prod(layer.shape[:-1] + layer.arrays[0][:-1]) for layer in topology if layer.kind in CONVOLUTIONS)
    return FLOAT * (WEIGHTS * weights + OUTPUTS * batch_size * outputs)


def members_at_once(topology: Topology, batch_size: int) -> int:
    """How many members a batch has: from the network alone, so that the same design is always trained in the same company."""
    size = member_bytes(topology, batch_size)
    return max(1, min(MOST if size <= BUSY else MOST_BUSY, BUDGET // size))


@dataclass
class _Here:
    """How many members this process may train at once; None: as many as it likes."""

    most: int | None = None


_here = _Here()


def use(most: int | None) -> None:
    """From now on this process trains at most so many members at once: more of them have cost a worker its life."""
    _here.most = most


def affordable(topology: Topology, batch_size: int, members: int) -> int:
    """So many members, or what this process may; halved until half of the memory that is free now is enough for them."""
    members = members if _here.most is None else min(members, _here.most)
    free = _available_bytes()
    while members > 1 and free is not None and 2 * members * member_bytes(topology, batch_size) > free:
        members //= 2
    return members


def _available_bytes() -> int | None:
    """What this process can still take before the machine swaps or its control group ends it; None where nothing is said."""
    found = [*_machine_bytes(), *_group_bytes()]
    return min(found) if found else None


def _machine_bytes() -> Iterator[int]:
    for name, value in _numbers(PROC / "meminfo"):
        if name == "MemAvailable:":
            yield value * 1024


def _group_bytes() -> Iterator[int]:
    """What each control group around this process has left: containers and batch systems set such limits.

    Files and words as in the kernel's "Control Group v2" and "Memory Resource Controller"; pages of files that the kernel can
    drop count as free.
    """
    for controller, path in _groups():
        folder, limit, used, cached = GROUPS[controller]
        top = SYS / folder
        own = top / path.strip("/")
        for place in (own, *(parent for parent in own.parents if parent.is_relative_to(top))):
            sizes = [value for name in (limit, used) for _, value in _numbers(place / name)]
            if len(sizes) == 2:
                dropped = sum(value for name, value in _numbers(place / "memory.stat") if name == cached)
                yield max(sizes[0] - sizes[1] + dropped, 0)


def _groups() -> list[tuple[str, str]]:
    """Controller and path of this process' groups that have to do with memory; version 2 names no controllers."""
    try:
        lines = [line.split(":", 2) for line in (PROC / "self/cgroup").read_text().splitlines()]
    except OSError:
        return []
    return [(controllers, path) for _, controllers, path in lines if controllers in GROUPS]


def _numbers(path: Path) -> list[tuple[str, int]]:
    """First word and whole number of each line that has one, such as ("MemAvailable:", 100); "max" is no number."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return []
    return [(words[0], int(words[:2][-1])) for words in lines if words and words[:2][-1].isdigit()]
