"""Figures without a tool."""

import pickle

import numpy as np
import pytest
from build_network import PART, conv, dense, network, relu
from synthesizer_contract import SynthesizerContract

from dse.errors import StageFailed, UsageError
from dse.metrics import METRICS, Measurement
from dse.network import Layer
from dse.parts import Part
from dse.synth import Synthesizer
from dse.synth.estimate import Calibration, Estimate, facts
from dse.synth.estimate.calibration import Correction

OWN = Part("mine", "mine", "7series", dsp=10, lut=100, ff=200, bram_18k=0, uram=0, source="measured")


def test_an_estimate_is_a_synthesizer_that_needs_no_folder(tmp_path):
    """The seam: judge, causes and figures of level "estimated", and both folders stay untouched."""
    estimate = Estimate()
    found = network(dense("fc1", "x", 16, 8), relu("relu1", "fc1", 8))
    assert isinstance(estimate, Synthesizer)
    measurement = estimate.synthesize(found, tmp_path / "absent", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert measurement.judge == estimate.judge(found.part, found.clock_ns)
    assert measurement.source.level == "estimated"
    hardware = {"dsp", "lut", "ff", "bram_18k", "latency_cycles", "interval_cycles", "latency_ns"}
    assert set(measurement.values) == set(measurement.intervals) == set(measurement.grades) == hardware
    assert set(measurement.layers) == {"x", "fc1", "relu1"}
    assert measurement.values["latency_ns"] == measurement.values["latency_cycles"] * 5.0
    assert Measurement.from_json(measurement.as_json()) == measurement
    assert pickle.loads(pickle.dumps(estimate)) == estimate


def test_every_figure_lies_within_its_interval_and_whole_figures_are_whole():
    """An interval that its own figure leaves says nothing; half a block does not exist."""
    for layers in (
        [dense("fc1", "x", 16, 8), relu("r", "fc1", 8), dense("fc2", "r", 8, 4, strategy="resource", reuse_factor=4)],
        [conv("c", "x", (8, 8, 2), 4), relu("r", "c", 6, 6, 4)],
    ):
        for io_type in ("io_parallel", "io_stream"):
            found = Estimate().estimate(network(*layers, io_type=io_type))
            for name, value in found.values.items():
                low, high = found.intervals[name]
                assert low <= value <= high
                assert low >= 0
                if METRICS[name].whole:
                    assert value == int(value)


def test_the_bound_of_a_streamed_network_holds_what_layers_that_wait_for_one_another_take():
    """Csynth lets streamed layers overlap; dense ones cannot. The figure is csynth's, its upper bound is at least the sum."""
    layers = [dense("a", "x", 16, 8), relu("ra", "a", 8), dense("b", "ra", 8, 8), relu("rb", "b", 8), dense("c", "rb", 8, 8)]
    found = Estimate().estimate(network(*layers, io_type="io_stream"))
    chain = sum(layer["latency_cycles"] for layer in found.layers.values())
    assert found.values["latency_cycles"] < chain <= found.intervals["latency_cycles"][1]
    assert found.intervals["latency_ns"][1] == found.intervals["latency_cycles"][1] * 5.0
    pixels = Estimate().estimate(network(conv("c", "x", (8, 8, 2), 4), relu("r", "c", 6, 6, 4), io_type="io_stream"))
    assert pixels.intervals["latency_cycles"][1] < 10 * pixels.values["latency_cycles"]


def test_the_causes_follow_whatever_changes_a_figure():
    """Another weight, stage or stated part is another store entry; the same network has the same causes."""
    layer = dense("fc1", "x", 16, 8)
    one, same, other = network(layer), network(layer), network(layer, weights={"fc1/weight": np.ones((16, 8)) / 2})
    causes = Estimate().causes
    assert causes(one) == causes(same)
    assert causes(one) != causes(other)
    assert causes(one) != Estimate(stage="netlist").causes(one)
    assert causes(one) != Estimate(resources=OWN).causes(one)


def test_more_zeros_never_cost_more_in_the_latency_strategy():
    """Constant weights are folded in: pruned weights free LUTs and DSP blocks, all zeros leave none."""
    layer = dense("fc1", "x", 16, 8)
    full = np.rint(np.random.default_rng(1).normal(size=(16, 8)) * 20) / 128
    half = full * (np.random.default_rng(2).random((16, 8)) < 0.5)
    found = [Estimate().estimate(network(layer, weights={"fc1/weight": w})).values for w in (full, half, np.zeros((16, 8)))]
    assert found[0]["lut"] > found[1]["lut"] > found[2]["lut"]
    assert found[0]["dsp"] > found[1]["dsp"] > found[2]["dsp"] == 0


def test_every_layer_that_nothing_supports_is_named():
    """No figure for a layer means no figure for the network, and all reasons at once."""
    rnn = Layer("rnn", "lstm", ("x",), (16,), (8,), dense("d", "x", 1, 1).result_type)
    odd = dense("fc9", "rnn", 8, 4, strategy="distributed_arithmetic")
    with pytest.raises(StageFailed, match=r"layer rnn: no estimate for kind 'lstm'.*fc9.*distributed_arithmetic") as caught:
        Estimate().estimate(network(rnn, odd, entering=(16,)))
    assert caught.value.kind == "unsupported"


@pytest.mark.parametrize("lacking", ["weight_type", "accumulator_type", "reuse_factor"])
def test_a_layer_that_lacks_a_type_is_refused_by_name(lacking):
    """A missing type is an error, not a default width."""
    from dataclasses import replace

    layer = dense("fc1", "x", 16, 8)
    found = network(replace(layer, **{lacking: None}), weights={"fc1/weight": np.ones((16, 8)) / 2})
    with pytest.raises(StageFailed, match=rf"layer fc1 \(dense\): no {lacking}") as caught:
        Estimate().estimate(found)
    assert caught.value.kind == "invalid"


def test_a_layer_without_weights_is_refused():
    """Types alone do not tell what the constants cost."""
    found = network(dense("fc1", "x", 16, 8))
    found.weights.pop("fc1/weight")
    with pytest.raises(StageFailed, match="no weights"):
        Estimate().estimate(found)


def test_an_unknown_part_needs_its_resources_stated():
    """The family decides DSP blocks and delays: it is asked for, not guessed."""
    found = network(dense("fc1", "x", 16, 8), part="xcmine")
    with pytest.raises(UsageError, match="State its resources in the study"):
        Estimate().estimate(found)
    assert Estimate(resources=OWN).estimate(found).values["lut"] > 0


def test_the_netlist_stage_states_no_cycles_and_wider_intervals():
    """Csynth and netlist are different judges; the ratio between them is itself uncertain."""
    found = network(dense("fc1", "x", 16, 8))
    csynth, netlist = Estimate().estimate(found), Estimate(stage="netlist").estimate(found)
    assert csynth.judge != netlist.judge
    assert set(netlist.values) == {"dsp", "lut", "ff", "bram_18k"}
    assert netlist.values["lut"] < csynth.values["lut"]

    def spread(measurement, name):
        low, high = measurement.intervals[name]
        return high / low

    assert spread(netlist, "lut") > spread(csynth, "lut")
    with pytest.raises(UsageError, match="stage must be one of csynth, netlist; got 'routed'"):
        Estimate(stage="routed")


def test_a_calibration_is_another_judge_and_holds_only_where_it_was_learned():
    """Inside the range of its designs it corrects and grades "calibrated"; outside, the law stands."""
    found = network(dense("fc1", "x", 16, 8), relu("r", "fc1", 8), backend="Vitis")
    plain = Estimate().estimate(found)
    lut = plain.values["lut"]
    inside = Correction("lut", float(np.log(2)), 1.0, 0.1, lut - 1, lut + 1, 9)
    outside = Correction("ff", float(np.log(2)), 1.0, 0.1, 1e7, 1e8, 9)
    learned = Estimate(calibration=Calibration("Vitis HLS", "2023.2", "hls", PART, (inside, outside)))
    corrected = learned.estimate(found)
    assert corrected.judge != plain.judge
    assert corrected.values["lut"] == pytest.approx(2 * lut + 50, abs=2)
    assert corrected.grades["lut"] == "calibrated"
    assert corrected.values["ff"] == plain.values["ff"]
    assert corrected.grades["ff"] == "law"
    assert learned.causes(found) != Estimate().causes(found)
    with pytest.raises(UsageError, match="stage must be 'csynth'"):
        Estimate(stage="netlist", calibration=learned.calibration)


def test_only_what_lies_within_the_calibration_data_is_graded_calibrated():
    """The campaign was one dense layer, Vivado HLS, UltraScale+, 5 ns, reuse factors 384 to 1280."""
    layer = dense("fc1", "x", 64, 64, strategy="resource", reuse_factor=512)
    inside = Estimate().estimate(network(layer))
    assert set(inside.grades.values()) == {"calibrated"}
    for change in ({"backend": "Vitis"}, {"clock_ns": 3.0}, {"part": "xc7z020clg400-1"}):
        assert set(Estimate().estimate(network(layer, **change)).grades.values()) == {"law"}
    small = dense("fc1", "x", 64, 64, strategy="resource", reuse_factor=64)
    assert set(Estimate().estimate(network(small)).grades.values()) == {"law"}


def test_facts_name_what_the_estimate_rests_on():
    """For `dse doctor`: the version of every judge's name, and the data of the calibrated domains."""
    assert facts()["version"] == Estimate().judge(PART, 5.0).version
    assert "layers" in facts()["calibrated for"]


class TestContract(SynthesizerContract):
    """What every synthesizer keeps."""

    @pytest.fixture
    def synthesizer(self):
        return Estimate()

    @pytest.fixture
    def network(self):
        return network(
            dense("fc1", "x", 16, 8), relu("r", "fc1", 8), dense("fc2", "r", 8, 4, strategy="resource", reuse_factor=4)
        )

    @pytest.fixture
    def project(self, tmp_path):
        (tmp_path / "project").mkdir()
        return tmp_path / "project"
