"""The contract that every kind of workload keeps on its way to figures: one class of tests, inherited once per flow."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from dse.design import ARCHITECTURE, Design
from dse.domains import RULES
from dse.errors import UsageError
from dse.evaluate import evaluate, flow_of, target, verify
from dse.flow import Flow, Walk
from dse.network import Network
from dse.nn import emulate, train
from dse.space import Space
from dse.store import Store


class FlowContract:
    """What holds for every flow; a subclass gives a fixture `study`, small enough for seconds per design."""

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, tmp_path_factory):
        """One store for all questions."""
        found = Store(tmp_path_factory.mktemp("root"))
        found.prepare()
        return found

    @pytest.fixture(scope="class")
    @classmethod
    def flow(cls, study):
        """The flow of the study's workload."""
        return flow_of(study.workload)

    @pytest.fixture(scope="class")
    @classmethod
    def design(cls, study, flow):
        """The first design of the study's space."""
        return next(study.space.resolved(flow.layers(())).designs())

    def test_it_is_a_flow_of_a_kind_that_names_its_knobs(self, study, flow):
        """Every knob that it needs or admits is a field of Space with a rule; none is both."""
        assert isinstance(flow, Flow)
        known = {*study.workload.needs, *study.workload.admits}
        assert known <= {f.name for f in fields(Space)}
        assert known - {ARCHITECTURE} <= set(RULES)
        assert not set(study.workload.needs) & set(study.workload.admits)

    def test_a_knob_of_another_kind_is_refused_and_a_missing_one_too(self, study):
        """Both say which knobs there are; knobs that were left alone are not even in the space."""
        known = (*study.workload.needs, *study.workload.admits)
        for f in fields(Space):
            if f.name not in known:
                assert getattr(study.space, f.name) in (None, {})
                value = {"width": 3} if f.name == ARCHITECTURE else 7
                with pytest.raises(UsageError, match=f"{f.name} (is no knob of a|must be).*{known[0]}|must be"):
                    replace(study, space=replace(study.space, **{f.name: value}))
        for name in study.workload.needs:
            with pytest.raises(UsageError, match=f"needs {name}"):
                replace(study, space=replace(study.space, **{name: None}))

    def test_its_designs_hold_its_knobs_and_no_others(self, study, design):
        """In the JSON that records keep, too; there and back they are the same."""
        known = {*study.workload.needs, *study.workload.admits}
        written = design.as_json()
        groups = {name for group, knobs in written.items() if group != ARCHITECTURE for name in knobs}
        assert groups - {"clock_ns"} <= known
        assert {name.partition(".")[0] for name in design.knobs} <= known
        again = Design.from_json(json.loads(json.dumps(written)))
        assert (again, again.digest) == (design, design.digest)

    def test_its_layers_and_identity_are_the_same_for_the_same_question(self, study, flow):
        """Another object of the same workload gives the same answers; names of layers are different."""
        other = flow_of(replace(study.workload))
        layers = flow.layers(())
        assert layers
        assert layers == other.layers(())
        assert len({layer.name for layer in layers}) == len(layers)
        assert flow.identity(()) == other.identity(())

    def test_it_proves_that_the_machine_can_do_it(self, study, flow, store):
        """And what is proved once stays proved."""
        flow.prove(study.target, store)
        flow.prove(study.target, store)

    def test_a_built_design_is_an_entry_with_its_network_and_project(self, study, flow, design, store):
        """Synthesis and exports read these later; asked again, nothing is made."""
        built = flow.build(design, target(study, design), Walk(store))
        walk = Walk(store)
        again = flow.build(design, target(study, design), walk)
        assert not again.entry.fresh
        assert walk.entries["convert"] == built.entry.key == again.entry.key
        assert Network.load(store.path("convert", built.entry.key)).digest == built.network.digest
        assert (built.network.part, built.network.clock_ns) == (study.target.name, study.target.clock_ns)
        assert built.project.is_dir()
        assert built.origin in walk.entries
        assert built.effective["part"] == study.target.name

    def test_emulations_say_how_far_they_agree(self, study, flow, design, store):
        """One row of outputs per row of data, the same however they are asked for, and the share that the reference has too."""
        built = flow.build(design, target(study, design), Walk(store))
        data = train.load_split(study.workload)
        rows = {"validation": data.validation}
        scored = flow.emulate(built, rows, data.fingerprint, Walk(store), as_built=False)
        exact = flow.emulate(built, rows, data.fingerprint, Walk(store), as_built=True)
        outputs = [emulate.load_outputs(entry.folder, "validation") for entry in (scored, exact)]
        assert len(outputs[0]) == len(data.validation.y)
        assert np.array_equal(*outputs)
        assert 0 <= scored.data["agreement"]["validation"] <= 1
        assert np.array_equal(np.load(scored.folder / "labels-validation.npy", allow_pickle=False), data.validation.y)
        inputs, expected = emulate.load_bench(scored.folder, "validation")
        assert np.array_equal(expected, outputs[0][: len(inputs)])

    def test_a_trial_has_figures_with_sources_and_its_front_is_verified(self, study, design, store):
        """From the design to a record and its test figures."""
        record = evaluate(0, design, study, store)
        assert record.failure is None, record.failure
        assert {"convert", "emulate", "synthesize"} <= set(record.entries)
        assert all(found.source.key in record.entries.values() for found in record.measurements)
        measurements, failure = verify(record, study, store)
        assert failure is None, failure
        assert {name for found in measurements for name in found.values} >= {"agreement_test"}
