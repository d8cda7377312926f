"""One network up the rungs: each rung once, whoever asks, and what is answered by what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from vendor_tools import fake_tools, fresh_lab  # noqa: F401

from dse.errors import StageFailed, UsageError
from dse.ladder import Climb, rungs, stated
from dse.shell import Limits
from dse.store import Store
from dse.synth.estimate import Estimate
from dse.synth.vitis import Vectors, Vitis
from dse.synth.vivado import Vivado
from dse.vendor import Terms

QUICK = Terms(Limits(timeout_s=20.0, grace_s=0.2), at_once=1, licence_wait_s=0.0, licence_poll_s=0.05)
HLS = Vitis(terms=QUICK)
NETLIST = Vivado("netlist", HLS, terms=QUICK)
ROUTED = Vivado("routed", HLS, terms=QUICK)
VECTORS = Vectors(np.array([[0.5, -0.25], [1.0, 0.125]]), np.array([[0.25, 1.5], [-1.0, 0.0625]]))


@pytest.fixture(name="climb")
def fresh_climb(lab, tmp_path):
    """A climb of the lab's network in a store of its own."""
    store = Store(tmp_path / "root")
    store.prepare()
    return Climb(store, lab.network, lab.project, rungs(HLS))


def again(climb, top, **changes):
    """The same network up to another rung; the entries, the lowest first."""
    fresh = replace(climb, rungs=rungs(top), entries=[], **changes)
    return [entry for _, entry in fresh.up()]


def test_rungs_are_what_a_synthesizer_stands_on():
    """The lowest first; an estimate stands on nothing."""
    assert rungs(ROUTED) == (HLS, ROUTED)
    assert rungs(Estimate()) == (Estimate(),)


def test_upper_rungs_share_the_rung_below(climb, lab):
    """C synthesis runs once for hls, netlist and routed; each of them runs once however often it is asked for."""
    for top in (HLS, NETLIST, ROUTED, NETLIST, HLS):
        again(climb, top)
    assert lab.calls == ["vitis-run", "vivado", "vivado"]


def test_figures_name_their_entry(climb):
    """The key leads from a figure to its reports."""
    (entry,) = again(climb, HLS)
    assert stated(entry).source.key == entry.key
    assert (entry.folder / "reports" / "myproject_csynth.rpt").is_file()


def test_a_cosimulation_answers_for_plain_synthesis(climb, lab):
    """Its figures are the same: what was simulated is not synthesised again, nor are rungs above."""
    (checked,) = again(climb, HLS, vectors=VECTORS, cosim=True)
    plain = again(climb, NETLIST, vectors=VECTORS)
    assert plain[0].key == checked.key
    assert stated(plain[0]).values["agreement_rtl"] == 1.0
    assert lab.calls == ["vitis-run", "vivado"]


def test_other_vectors_are_another_check(climb, lab):
    """The key of a co-simulation holds what it was made on."""
    other = Vectors(VECTORS.inputs[:1], VECTORS.outputs[:1])
    keys = {again(climb, HLS, vectors=vectors, cosim=True)[0].key for vectors in (VECTORS, other)}
    assert len(keys) == 2
    assert lab.calls == ["vitis-run"] * 2


def test_rtl_that_computes_something_else_has_no_figures(climb, lab):
    """A failed co-simulation is remembered: plain synthesis of the same design does not make its figures good."""
    lab.tools.misbehave("cosim_wrong")
    for cosim in (True, False):
        with pytest.raises(StageFailed, match=r"equals the emulation on 50\.00%"):
            again(climb, HLS, vectors=VECTORS, cosim=cosim)
    assert lab.calls == ["vitis-run"]


def test_a_failure_names_no_folder_that_is_gone(climb, lab):
    """An entry moves when it is published: its message is relative to it."""
    lab.tools.misbehave("half")
    with pytest.raises(StageFailed) as failed:
        again(climb, HLS)
    assert failed.value.message.startswith("reports/myproject_csynth.rpt: no ")


def test_a_cosimulation_without_an_hls_tool_or_vectors_is_refused(climb):
    """Nothing is said to be checked that is not."""
    for changes in ({"rungs": rungs(Estimate()), "vectors": VECTORS}, {"vectors": None}):
        with pytest.raises(UsageError, match="needs an HLS tool and vectors"):
            replace(climb, cosim=True, **changes)
