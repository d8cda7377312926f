"""Compiled hls4ml emulation against independent computations."""

import numpy as np
import pytest

from dse import aptypes, legacy_keras
from dse.errors import StageFailed
from dse.nn import convert, emulate, extract
from dse.nn.reference import reference

from .conftest import PART, ROWS, cnn, hardware, mlp

VARIANTS = [
    ("latency", 1, "io_parallel"),
    ("latency", 3, "io_stream"),
    ("resource", 4, "io_parallel"),
    ("resource", 2, "io_stream"),
    ("resource", 1, "io_parallel"),
    ("resource_unrolled", 4, "io_parallel"),
]
IMAGES = np.random.default_rng(5).uniform(-1, 1, size=(40, 6, 6, 2))


def test_the_emulation_of_a_network_computed_by_hand(built):
    """One dense layer with known weights: y = x @ w + b in steps that every type can hold."""
    import tf_keras

    from dse.fixed import Quantizer
    from dse.nn import graph

    float_model = tf_keras.Sequential([tf_keras.layers.Input((2,)), tf_keras.layers.Dense(2, name="neurons")])
    quantizers = graph.Quantizers(
        {"neurons": Quantizer(6, 0)}, {"neurons": Quantizer(6, 0)}, {graph.INPUT_QUANTIZER: Quantizer(8, 1)}
    )
    model = graph.quantised(graph.nodes(float_model), quantizers)
    model.get_layer("neurons").set_weights([np.array([[0.5, -0.25], [0.75, 0.125]]), np.array([0.25, -0.5])])
    found = built("by-hand", model, hardware(), np.array([[1.0, -1.0], [0.5, 0.25], [9.0, 0.0]]))
    # 9.0 saturates at 127/64, the largest value of fixed<8,2>
    expected = [[0.5 - 0.75 + 0.25, -0.25 - 0.125 - 0.5], [0.25 + 0.1875 + 0.25, -0.125 + 0.03125 - 0.5]]
    expected.append([0.5 * 127 / 64 + 0.25, -0.25 * 127 / 64 - 0.5])
    assert found.outputs.tolist() == expected


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_outputs_equal_those_of_hls4mls_own_library(built, kind, io_type, tmp_path, monkeypatch):
    """Our compilation (one unit, faster types, unoptimised generated code, our reader of weights) computes what hls4ml's own
    compile and predict compute, in one process and shared between three, for any number of rows.
    """
    from dse import library
    from dse.nn import convert

    model, rows = (mlp()[0], ROWS) if kind == "mlp" else (cnn(), IMAGES)
    found = built(f"own-{kind}-{io_type}", model, hardware(io_type=io_type), rows)
    with legacy_keras.keras_is_tf_keras():
        import hls4ml

        theirs = hls4ml.converters.convert_from_keras_model(
            model,
            hls_config=convert._config(hls4ml, model, hardware(io_type=io_type)),
            backend="Vitis",
            io_type=io_type,
            output_dir=str(tmp_path / "theirs"),
            bit_exact=True,
        )
        theirs.compile()
    expected = theirs.predict(np.ascontiguousarray(rows))
    assert np.array_equal(found.outputs, expected)
    monkeypatch.setattr(library, "SHARE_S", 1e-12)
    monkeypatch.setattr(library, "cores", lambda: 3)
    for n in (1, 3, 4, len(rows)):
        assert np.array_equal(emulate.predict(found.library, found.network, found.project, rows[:n]), expected[:n])


@pytest.mark.parametrize(("strategy", "factor", "io_type"), VARIANTS)
def test_dense_emulations_do_not_depend_on_hardware_knobs(built, strategy, factor, io_type):
    """The allow-list's claim: reuse factor, strategy and IO type of dense layers change no output, and the float64
    reference equals every one of them; hence equal function digests and one shared emulation.
    """
    model, _ = mlp()
    first = built("mlp-latency-1", model, hardware(), ROWS)
    other = built(f"mlp-{strategy}-{factor}-{io_type}", model, hardware(factor, strategy, io_type), ROWS)
    assert {layer.strategy for layer in other.network.multipliers} == {strategy}
    assert {layer.reuse_factor for layer in other.network.multipliers} == {factor}
    assert np.array_equal(first.outputs, other.outputs)
    assert np.array_equal(reference(other.network, ROWS), other.outputs)
    assert emulate.shareable(other.network)
    assert first.network.function_digest == other.network.function_digest
    assert (first.network.digest == other.network.digest) == (VARIANTS.index((strategy, factor, io_type)) == 0)


@pytest.mark.parametrize(
    ("name", "knobs", "right"),
    [
        ("latency", hardware(), True),
        ("stream", hardware(4, "resource", "io_stream"), True),
        ("stream-large", hardware({"conv": 36, "out": 8}, "resource", "io_stream"), True),
        ("small", hardware({"conv": 9, "out": 8}, "resource"), True),
        ("large", hardware({"conv": 36, "out": 8}, "resource"), False),
    ],
)
def test_a_convolution_beyond_its_kernel_is_wrong_and_never_shared(built, name, knobs, right):
    """Conv2D, io_parallel, resource: hls4ml computes something else once the reuse factor exceeds
    kernel_h * kernel_w * n_chan (here 18), without a word; only emulations that are right may be shared.
    """
    found = built(f"cnn-{name}", cnn(), knobs, IMAGES)
    expected = reference(found.network, IMAGES).reshape(found.outputs.shape)
    assert np.array_equal(expected, found.outputs) == right
    assert emulate.shareable(found.network) == right


@pytest.mark.parametrize("bits", [4, 8, 11])
def test_the_reference_equals_qkeras_to_half_a_step(built, bits):
    """The float64 reference is right by QKeras' own forward pass, whose float32 sums may round in the last place."""
    model, _ = mlp(bits, bits)
    found = built(f"mlp-bits-{bits}", model, hardware(), ROWS)
    qkeras = np.asarray(model(ROWS.astype(np.float32), training=False), dtype=np.float64)
    step = found.network.layer(found.network.outputs[0]).result_type.step
    assert np.abs(reference(found.network, ROWS.astype(np.float32)) - qkeras).max() <= step / 2
    assert np.array_equal(reference(found.network, ROWS), found.outputs)


def test_a_library_is_compiled_once_and_knows_no_weights(built, tmp_path):
    """Weights are read at run time: the same sources with other weights are answered from the cache, and a moved project
    still finds its weights.
    """
    import shutil

    model, _ = mlp()
    found = built("mlp-latency-1", model, hardware(), ROWS)
    moved = tmp_path / "elsewhere"
    shutil.copytree(found.project, moved)
    log = tmp_path / "compile.log"
    library = emulate.build(moved, found.library.parent, log)
    assert library == found.library
    assert not log.exists()
    weights = moved / "firmware/weights"
    bias = next(path for path in weights.glob("b*.txt") if len(path.read_text().split(",")) == 4)
    bias.write_text(", ".join(["0.5"] * 4))
    shifted = emulate.predict(library, found.network, moved, ROWS)
    assert not np.array_equal(shifted, found.outputs)
    assert np.array_equal(emulate.predict(library, found.network, found.project, ROWS), found.outputs)


def test_emulations_are_compiled_with_the_faster_types(built):
    """Most of the time of a row, and a third of the compiler's, hang on them."""
    found = built("mlp-latency-1", mlp()[0], hardware(), ROWS)
    (copy,) = {path.read_text() for path in found.library.parent.glob("headers-*/ap_types/etc/ap_private.h")}
    original = (found.project / "firmware/ap_types/etc/ap_private.h").read_text()
    assert copy == aptypes.folded(original.replace(aptypes.SLOW, aptypes.FAST)) != original


def test_a_repeated_compilation_by_hand_gives_the_same_numbers(built, tmp_path):
    """`run.sh` beside the log needs the project and nothing of our caches."""
    import subprocess

    found = built("mlp-compiled-for-run.sh", mlp(5, 5)[0], hardware(), ROWS)
    home = found.project.parent
    subprocess.run(["sh", str(home / "run.sh"), str(found.project)], check=True, cwd=tmp_path)
    again = emulate.predict(home / "emulation.so", found.network, found.project, ROWS)
    assert np.array_equal(again, found.outputs)


def test_code_that_does_not_compile_is_a_tool_failure_with_the_compilers_words(built, tmp_path):
    """A refused translation unit is a typed failure with the log, not an exception of the compiler's driver."""
    import shutil

    from dse.errors import StageFailed

    model, _ = mlp()
    found = built("mlp-latency-1", model, hardware(), ROWS)
    broken = tmp_path / "broken"
    shutil.copytree(found.project, broken)
    source = broken / "firmware/myproject.cpp"
    source.chmod(0o644)
    source.write_text(source.read_text() + "\nthis is no C++\n")
    with pytest.raises(StageFailed) as caught:
        emulate.build(broken, tmp_path / "cache", tmp_path / "compile.log")
    assert caught.value.kind == "tool"
    assert "this is no C++" in caught.value.log


def test_the_weights_of_distributed_arithmetic_are_those_of_its_twin(tmp_path):
    """hls4ml deletes them after writing them into the code: they are read from the same model with the latency strategy."""
    pytest.importorskip("da4ml")
    model, quantizers = mlp()
    adders = hardware(strategy="distributed_arithmetic")
    found = convert.foresee(model, adders, PART, 5.0)
    plain = convert.foresee(model, hardware(), PART, 5.0)
    convert.check(found, adders, quantizers, convert.quantised_weights(model, quantizers))
    assert {layer.strategy for layer in found.multipliers} == {"distributed_arithmetic"}
    assert found.function_digest == plain.function_digest
    assert found.digest != plain.digest
    with legacy_keras.keras_is_tf_keras():
        graph = convert._converted(model, adders, PART, 5.0, tmp_path)
        other = convert._converted(mlp(weights=5)[0], hardware(), PART, 5.0, tmp_path)
    with pytest.raises(StageFailed, match="other layers or types for distributed_arithmetic"):
        extract.extract(graph, other)


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda: mlp()[0], cnn], ids=["mlp", "cnn"])
def test_distributed_arithmetic_computes_what_its_twin_does(built, make, request):
    """The weights in the compiled code are those that were read from the twin: every row equals the float64 reference."""
    pytest.importorskip("da4ml")
    name = request.node.callspec.id
    rows = ROWS if name == "mlp" else np.random.default_rng(5).uniform(-2, 2, (100, 6, 6, 2))
    found = built(f"{name}-adders", make(), hardware(strategy="distributed_arithmetic"), rows)
    assert np.array_equal(found.outputs, reference(found.network, rows).reshape(found.outputs.shape))
