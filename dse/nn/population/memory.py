"""How many members are trained at once."""

from __future__ import annotations

import math
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


def affordable(topology: Topology, batch_size: int, members: int) -> int:
    """So many members, halved until half of the memory that is free now is enough for them."""
    free = _available_bytes()
    while members > 1 and free is not None and 2 * members * member_bytes(topology, batch_size) > free:
        members //= 2
    return members


def _available_bytes() -> int | None:
    """What programs can still take before the machine swaps; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return found[0] * 1024 if found else None
