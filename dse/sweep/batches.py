"""How many designs are asked for at once, and in which order they are evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dse.design import Design
from dse.run import Asked
from dse.sweep.proposals import Proposals

#: Networks that a worker is given to train before the first of them is evaluated, at most.
LARGEST = 96
#: A sampler that learns from records is asked for no more than this share of the trials at once, within these bounds.
LEARNED_SHARE = 0.1
LEARNED_BOUNDS = (4, 24)
#: Fewer networks than this are trained by their own trials: the program is not worth compiling.
FEWEST = 2
#: Hardware variants that are asked for together with one compression, on average and at most.
VARIANTS = 10


def batch_size(proposals: Proposals, target: int, jobs: int) -> int:
    """How many networks a worker is given to train together; how many of them fit into memory at once, the training knows."""
    if proposals.learns:
        low, high = LEARNED_BOUNDS
        return max(low, min(high, round(LEARNED_SHARE * target)))
    share = -(-min(target, proposals.size) // jobs)
    return min(LARGEST, share)


def network(design: Design) -> tuple[object, object]:
    """What decides a design's weights; equal for hardware variants of one trained network."""
    return design.architecture, design.compression


def networks_of(batch: Sequence[Asked]) -> list[Design]:
    """One design of the batch for each network that is to be trained."""
    return list({network(asked.design): asked.design for asked in reversed(batch)}.values())[::-1]


def halves(batch: Sequence[Asked]) -> list[list[Asked]]:
    """The batch in two parts of about as many networks; variants of one network stay together."""
    every = [network(design) for design in networks_of(batch)]
    first = set(every[: len(every) // 2])
    return [[asked for asked in batch if (network(asked.design) in first) is part] for part in (True, False)]


def leaders_first(batch: Iterable[Asked]) -> list[Asked]:
    """One variant of each network, then the others: no worker waits for another that is making the same entry."""
    turns: dict[tuple[object, object], int] = {}
    found = []
    for asked in batch:
        turn = turns[network(asked.design)] = turns.get(network(asked.design), 0) + 1
        found.append((turn, asked))
    return [asked for _, asked in sorted(found, key=lambda pair: pair[0])]
