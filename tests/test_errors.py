"""What is raised on purpose."""

from __future__ import annotations

import pickle

import pytest

from dse import errors
from dse.errors import FAILURE_KINDS, PASSING, PERMANENT, DseError, StageFailed


def test_everything_raised_on_purpose_is_one_family():
    """One `except DseError` catches what a user can mend."""
    family = [found for found in vars(errors).values() if isinstance(found, type)]
    assert len(family) == 6
    assert all(issubclass(found, DseError) for found in family)


def test_a_failure_is_of_the_design_or_of_the_machine():
    """Every kind is one of the two and none is both: whether a trial is tried again hangs on it."""
    assert not set(PERMANENT) & set(PASSING)
    assert set(FAILURE_KINDS) == set(PERMANENT) | set(PASSING)
    assert len(FAILURE_KINDS) == len(set(FAILURE_KINDS)) == 10


@pytest.mark.parametrize("kind", FAILURE_KINDS)
def test_a_stage_failure_crosses_a_process_border_whole(kind):
    """Kind, message and log arrive: pickling exceptions keeps only what their constructor is given."""
    there = pickle.loads(pickle.dumps(StageFailed(kind, "vitis-run ended", "ERROR: [HLS 1]")))
    assert (there.kind, there.message, there.log, str(there)) == (kind, "vitis-run ended", "ERROR: [HLS 1]", "vitis-run ended")


def test_an_unknown_kind_of_failure_is_refused():
    """A misspelt kind would be neither retried nor taught to the sampler."""
    with pytest.raises(ValueError, match=r"kind must be one of .*'timeout'.*, got 'timout'"):
        StageFailed("timout", "")
