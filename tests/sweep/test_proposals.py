"""Small spaces are gone through from the first design to the last."""

import itertools
from dataclasses import replace

import pytest

from dse.design import build
from dse.domains import Choice, Integers
from dse.errors import UsageError
from dse.record import Record
from dse.space import Space
from dse.sweep.proposals import Exhaustive
from dse.sweep.sampling import Sampling, proposals
from tests.tiny import STUDY

SMALL = Space(Integers(3, 4), Choice(4, 8), reuse_factor=Choice(1, 2), io_type=Choice("io_parallel", "io_stream"))


def taken(found):
    """All designs that are proposed until there is none."""
    designs = []
    while (design := found.ask()) is not None:
        designs.append(design)
    return designs


def test_every_design_once_and_variants_of_one_compression_after_another():
    """16 designs of 4 compressions: each compression's four hardware variants are neighbours."""
    found = Exhaustive(SMALL)
    designs = taken(found)
    assert len(designs) == len(set(designs)) == SMALL.size == found.seen == 16
    compressions = [design.compression for design in designs]
    assert len(set(compressions)) == 4
    assert sum(a != b for a, b in itertools.pairwise(compressions)) == 3
    assert found.ask() is None


def test_what_was_seen_is_passed_over():
    """Records, and designs under way, are not proposed again; designs outside the space count for nothing."""
    every = list(SMALL.designs())
    found = Exhaustive(SMALL)
    found.replay([Record(0, every[3]), Record(1, build({"weight_bits": 12, "activation_bits": 4}))])
    found.note(every[0])
    assert found.seen == 2
    assert taken(found) == [design for n, design in enumerate(every) if n not in (0, 3)]


@pytest.mark.parametrize(
    ("sampler", "trials", "kind"),
    [("auto", 16, Exhaustive), ("auto", 15, Sampling), ("exhaustive", 16, Exhaustive), ("random", 16, Sampling)],
)
def test_a_space_no_larger_than_the_trials_is_gone_through(sampler, trials, kind):
    """By default; a sampler that is named is used."""
    assert type(proposals(replace(STUDY, space=SMALL, sampler=sampler), trials, 0)) is kind


def test_going_through_more_designs_than_trials_is_refused():
    """With both numbers and the ways out."""
    with pytest.raises(UsageError, match=r"all 16 designs of the space, 15 trials are asked for\. Ask for --trials 16"):
        proposals(replace(STUDY, space=SMALL, sampler="exhaustive"), 15, 0)
