"""Unrolled networks: what is computed, what it costs, and what is refused before any time is spent."""

from dataclasses import replace

import numpy as np
import pytest
from build_unrolled import ENTERING, WEIGHT, WIDE, branches, cnn, dense, depthwise, mlp, network, plain, silent
from synthesizer_contract import SynthesizerContract

from dse import proof
from dse.errors import StageFailed, ToolNotFound, UsageError
from dse.network import FixedType
from dse.nn.reference import reference
from dse.shell import Limits
from dse.synth.open import Adders, Effort, Open, evaluated, facts, logic_of, mapping
from dse.synth.open.refuse import signed_digits
from dse.synth.open.unroll import unroll
from dse.synth.vectors import Vectors


def rows_of(net):
    """Provoking rows and what float64 makes of them."""
    x = proof.provoking(net, 400)
    shape = net.layers[0].output_shape
    return Vectors(x, reference(net, x.reshape(-1, *shape)).reshape(len(x), -1))


@pytest.mark.parametrize(
    "net",
    [mlp(), cnn(), cnn("avgpool2d"), branches(), depthwise(), silent()],
    ids=["mlp", "cnn, largest", "cnn, means", "branches", "depthwise", "silent"],
)
def test_the_adder_graph_computes_what_the_reference_computes(net):
    """On rows that overflow and saturate, every output bit: two programs that share nothing but the types."""
    vectors = rows_of(net)
    found = evaluated(net, unroll(net), vectors.inputs)
    assert np.array_equal(found, vectors.outputs)
    assert len(np.unique(found)) > 20


def test_rows_provoke_overflow_and_saturation():
    """Without them an overflow that is built wrong would go unseen."""
    net = mlp()
    x = proof.provoking(net)
    assert np.array_equal(x, proof.provoking(net))
    assert (x < ENTERING.low).any()
    assert (x > ENTERING.high).any()
    first = network(dense("fc1", "x", 8, 6), shape=(8,), weights={n: w for n, w in net.weights.items() if "fc1" in n})
    sums = reference(first, x)
    assert (sums > 2).any(), "the ReLU saturates at 2"
    aimed = np.abs(sums[-len(x) // 4 :]).max(axis=1)
    reach = np.abs(first.weights["fc1/weight"]).sum(axis=0).max() * 2
    assert aimed.max() > 0.9 * reach, "some sum is driven nearly as far as it can go"


class TestAdders(SynthesizerContract):
    """The estimate keeps the contract."""

    @pytest.fixture
    def synthesizer(self):
        return Adders()

    @pytest.fixture
    def network(self):
        return mlp()

    @pytest.fixture
    def project(self, tmp_path):
        (tmp_path / "project").mkdir()
        return tmp_path / "project"


class TestOpen(TestAdders):
    """The mapped design does too."""

    @pytest.fixture
    def synthesizer(self):
        return Open()


@pytest.fixture(scope="module", name="made")
def synthesised(tmp_path_factory):
    """Both rungs of the MLP, with the folder of the upper one."""
    home, net = tmp_path_factory.mktemp("made"), mlp()
    (home / "adders").mkdir()
    below = Adders().synthesize(net, home, home / "adders", rows_of(net))
    return below, Open().refine(net, home / "adders", home), home


def test_figures_are_of_distributed_arithmetic_and_say_so(made):
    """No DSP blocks, an input in every cycle, one more cycle than stages; the judge names the architecture."""
    below, above, _ = made
    for found in (below, above):
        assert found.values["dsp"] == found.values["bram_18k"] == 0
        assert found.values["interval_cycles"] == 1
        assert found.values["latency_cycles"] == found.values["stages"] + 1
        assert found.values["latency_ns"] == 5 * found.values["latency_cycles"]
        assert "distributed arithmetic" in found.judge.name
    assert (below.judge.level, above.judge.level) == ("estimated", "netlist")
    assert {"agreement_logic": 1.0, "agreement_logic_n": 400.0}.items() <= below.values.items()


def test_the_mapped_cells_are_near_the_adders_count(made):
    """Yosys' look-up tables were 1.1 to 1.3 times alkaid's count on networks that were measured; registers are the same."""
    below, above, _ = made
    assert 0.8 < above.values["lut"] / below.values["lut"] < 1.6
    assert above.values["ff"] == below.values["ff"]
    assert above.values["carry"] > 0
    assert sum(stage["lut"] for stage in above.layers.values()) == above.values["lut"]
    assert len(above.layers) == above.values["stages"]


def test_what_was_made_is_kept(made):
    """The Verilog, each stage's script, log and counts; nothing that names the folder it was made in."""
    _, _, home = made
    assert (home / "verilog.tar.gz").is_file()
    assert not (home / "verilog").exists()
    for script in (home / "yosys").glob("*/map.ys"):
        assert str(home) not in script.read_text()
        assert (script.parent / "yosys.log").is_file()


def test_more_delay_in_a_stage_makes_fewer_stages(tmp_path):
    """The cut is a knob, and another judge: registers are not the same design's."""
    net, found = mlp(), {}
    for cutoff in (2.5, 5.0, 20.0):
        (tmp_path / f"{cutoff}").mkdir()
        found[cutoff] = Adders(cutoff).synthesize(net, tmp_path, tmp_path / f"{cutoff}")
    stages = [m.values["stages"] for m in found.values()]
    assert stages == sorted(stages, reverse=True)
    assert stages[0] > stages[-1]
    assert len({m.judge for m in found.values()}) == 3
    assert len({m.values["delay_units"] for m in found.values()}) == 1


def test_one_wrong_output_bit_fails_the_design(tmp_path):
    """Never a figure of something else."""
    net = mlp()
    vectors = rows_of(net)
    outputs = vectors.outputs.copy()
    outputs[7, 1] += WIDE.step
    with pytest.raises(StageFailed, match=r"equals the emulation on 99.75% of 400 rows only; row 7") as failed:
        Adders().synthesize(net, tmp_path, tmp_path, Vectors(vectors.inputs, outputs))
    assert failed.value.kind == "mismatch"
    assert not (tmp_path / "logic.json.gz").exists()


def changed(net, name, **changes):
    """The network with one layer changed."""
    return replace(net, layers=tuple(replace(x, **changes) if x.name == name else x for x in net.layers))


REFUSED = [
    (mlp(io_type="io_stream"), "io_type io_stream: .* use io_parallel"),
    (changed(mlp(), "fc1", reuse_factor=4), "layer fc1: reuse_factor 4; .* Use reuse_factor=1"),
    (changed(mlp(), "fc1_relu", kind="lstm"), "layer fc1_relu: lstm layers are not built"),
    (changed(mlp(), "out", kind="softmax"), "layer out: softmax layers are not built; end the network in logits"),
    (changed(mlp(), "fc1", accumulator_type=FixedType(16, 6)), r"layer fc1: its accumulator fixed<16,6> cuts products of 11"),
    (changed(mlp(), "fc1", accumulator_type=FixedType(20, 9, True, "TRN", "SAT")), "saturates between additions"),
    (changed(mlp(), "fc1", result_type=FixedType(60, 30)), "a type of 60 bits, 53 at most"),
    (changed(mlp(), "fc1", result_type=FixedType(20, 9, True, "TRN", "WRAP_SM")), "overflow mode WRAP_SM is not built"),
    (changed(mlp(), "fc1", weight_type=FixedType(25, 1)), "weights of 25 bits, 24 at most"),
    (changed(cnn("avgpool2d"), "pool", attributes={"pool_height": 3, "pool_width": 1}), "mean of 3 values is no shift"),
    (changed(branches(), "sum", attributes={"op": "subtract"}), "the merge subtract is not built; use add or concatenate"),
    (changed(branches(), "both", kind="transpose"), "layer both: transpose layers are not built"),
]


@pytest.mark.parametrize(("net", "said"), REFUSED, ids=[said[:40] for _, said in REFUSED])
def test_what_cannot_be_unrolled_exactly_is_refused_by_name(net, said, tmp_path, monkeypatch):
    """Before anything is solved, with what to use instead."""
    monkeypatch.setattr("dse.synth.open.unroll.unroll", lambda _: pytest.fail("time was spent"))
    for synthesizer in (Adders(), Open()):
        with pytest.raises(StageFailed, match=said) as failed:
            synthesizer.synthesize(net, tmp_path, tmp_path)
        assert failed.value.kind == "unsupported"


def test_too_many_additions_are_refused_with_their_number(tmp_path):
    """The cap is on additions before any are shared; the count is that of the weights' signed digits."""
    net = mlp()
    digits = sum(int(signed_digits(np.rint(net.weights[f"{name}/weight"] / WEIGHT.step)).sum()) for name in ("fc1", "out"))
    with pytest.raises(StageFailed, match=rf"{digits} additions once everything is unrolled, 10 are allowed \(most_adders\)"):
        Adders(most_adders=10).synthesize(net, tmp_path, tmp_path)
    Adders(most_adders=digits).refuse(net)


def test_signed_digits_are_the_fewest():
    """Against the textbook's recursion."""

    def digits(n):
        count = 0
        while n:
            if n & 1:
                n -= 2 - (n & 3)
                count += 1
            n >>= 1
        return count

    numbers = np.arange(-300, 300)
    assert signed_digits(numbers).tolist() == [digits(abs(int(n))) for n in numbers]


def test_a_yosys_that_fails_is_a_failure_of_the_design(tmp_path, monkeypatch):
    """With the line that says why, and its log; a limit is a limit."""
    (tmp_path / "adders").mkdir()
    Adders().synthesize(mlp(), tmp_path, tmp_path / "adders")
    broken = tmp_path / "broken.ys"
    broken.write_text(mapping.SCRIPT.read_text().replace("alumacc", "alumacs"))
    monkeypatch.setattr(mapping, "SCRIPT", broken)
    with pytest.raises(StageFailed, match="yosys: ERROR: No such command: alumacs") as failed:
        Open().refine(mlp(), tmp_path / "adders", tmp_path)
    assert failed.value.kind == "tool"
    hasty = Open(effort=Effort(limits=Limits(timeout_s=0.01)))
    assert hasty == Open()
    with pytest.raises(StageFailed) as failed:
        hasty.refine(mlp(), tmp_path / "adders", tmp_path)
    assert failed.value.kind == "timeout"


def test_a_cell_that_nobody_has_counted_is_an_error():
    """Not a figure without it."""
    assert mapping.counted({"$lut": 9, "CARRY4": 5}) == {"lut": 9, "carry": 5}
    with pytest.raises(StageFailed, match="2 cells of the kind 'RAM32X1D'"):
        mapping.counted({"$lut": 3, "RAM32X1D": 2})


def test_a_graph_that_is_gone_is_said_to_be(tmp_path):
    """The rung below can be made again."""
    with pytest.raises(StageFailed, match="no readable adder graph"):
        logic_of(tmp_path)


def test_without_the_extra_the_judge_says_how_to_get_it(monkeypatch):
    """Before a sweep begins, not after its first training."""
    import importlib.metadata

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ToolNotFound, match=r"alkaid is not installed\. Install both with: pip install \"dse\[open\]\""):
        Open().judge("part", 5.0)
    assert all(version == "" and "dse[open]" in how for _, version, _, how in facts())


def test_a_layer_of_wires_costs_nothing(tmp_path):
    """Rearranging is free; only its registers remain."""
    net = network(plain("r", "reshape", "x", (2, 2), (4,), ENTERING), shape=(2, 2), weights={})
    found = Adders().synthesize(net, tmp_path, tmp_path, Vectors(np.ones((1, 4)), np.ones((1, 4))))
    assert found.values["lut"] == 0
    assert found.values["ff"] == 2 * 4 * ENTERING.width


def test_a_study_with_designs_that_it_cannot_unroll_is_refused():
    """When the study is made, with what to write instead."""
    from tiny import STUDY

    unrolled = replace(STUDY.space, reuse_factor=1)
    known = replace(STUDY, synthesizer=Open(), space=unrolled)
    assert known.judge.synthesizer == "open"
    with pytest.raises(UsageError, match="reuse_factor must be 1 for every design"):
        replace(STUDY, synthesizer=Open())
    with pytest.raises(UsageError, match="io_type must be io_parallel for every design"):
        replace(STUDY, synthesizer=Adders(), space=replace(unrolled, io_type="io_stream"))
