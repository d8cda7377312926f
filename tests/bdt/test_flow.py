"""Boosted trees keep the contract of flows, compiled and emulated for real."""

from dataclasses import replace

import pytest
from flow_contract import FlowContract

from dse.design import build
from dse.evaluate import evaluate, flow_of, target, verify
from dse.flow import Walk
from tests.tiny_trees import STUDY


class TestContract(FlowContract):
    """Of four trees of depth 2 per class."""

    @pytest.fixture(scope="class")
    @classmethod
    def study(cls):
        """Three classes, eight features."""
        return STUDY

    def test_the_record_says_how_often_the_trained_models_class_is_chosen(self, study, design, store):
        """Beside the agreement with the reference, which must be whole; scores come from the emulation."""
        record = evaluate(0, design, study, store)
        assert record.failure is None, record.failure
        assert record.value("agreement") == 1
        assert record.value("agreement_trained") > 0.9
        assert record.measurement("accuracy").source.tool == "conifer"
        assert record.measurement("accuracy_float").source.tool == "xgboost-cpu"
        lut = record.measurement("lut")
        low, high = lut.intervals["lut"]
        assert lut.grades["lut"] == "law"
        assert low < lut.values["lut"] < high
        assert record.value("dsp") == 0

    def test_what_is_foreseen_is_what_is_built_and_emulated(self, study, store):
        """Scored by the reference, without a compiler; on the front the same network and the same outputs."""
        changes = {"input_width": 9, "result_width": 9, "reuse_factor": None, "strategy": None, "io_type": None}
        front = replace(study, emulate="front")
        record = evaluate(0, build({"architecture.trees": 3, **changes}), front, store)
        assert record.failure is None, record.failure
        assert "emulate" not in record.entries
        assert record.measurement("accuracy").source.level == "reference"
        measurements, failure = verify(record, front, store)
        assert failure is None, failure
        values = {name: value for found in measurements for name, value in found.values.items()}
        assert values["accuracy"] == record.value("accuracy")
        assert values["agreement_test"] == 1

    def test_a_width_that_does_not_hold_the_thresholds_is_invalid(self, study, store):
        """Typed, before anything is compiled."""
        changes = {"input_width": 2, "result_width": 10, "reuse_factor": None, "strategy": None, "io_type": None}
        record = evaluate(0, build(changes), study, store)
        assert record.failure is not None
        assert (record.failure.stage, record.failure.kind) == ("convert", "invalid")
        assert "input_width 2 is too small for thresholds from" in record.failure.message

    def test_the_project_tells_nothing_of_where_and_when_it_was_made(self, study, flow, design, store):
        """Stores can be moved, and equal designs have equal projects."""
        built = flow.build(design, target(study, design), Walk(store))
        files = [path for path in built.project.rglob("*") if path.is_file()]
        assert {path.suffix for path in files} == {".cpp", ".h", ".tcl"}
        assert not any(str(store.folder) in path.read_text() for path in files)
        assert flow_of(study.workload).identity(()) == flow.identity(())
