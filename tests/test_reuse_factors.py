"""Our own rule for reuse factors and strategies against hls4ml's."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest

from dse import legacy_keras
from dse.design import IO_TYPES, STRATEGIES, build
from dse.legal import LayerShape, illegal, legal_reuse_factors

pytestmark = pytest.mark.xdist_group("hls4ml")  # one worker pays for the import


@pytest.fixture(scope="module")
def backend():
    """hls4ml's Vitis backend."""
    with legacy_keras.keras_is_tf_keras():
        import hls4ml
    return hls4ml.backends.get_backend("Vitis")


def test_legal_reuse_factors_are_those_of_hls4ml(backend):
    """Every shape up to 20 x 20, and larger ones as networks have them."""
    shapes = [(n_in, n_out) for n_in in range(1, 21) for n_out in range(1, 21)]
    shapes += [(64, 32), (32, 16), (16, 10), (30, 17), (97, 89), (128, 64), (360, 8), (1, 2048), (2048, 1), (144, 100)]
    for shape in shapes:
        assert legal_reuse_factors(*shape) == tuple(backend.get_valid_reuse_factors(*shape)), shape


class Layer:
    """A dense layer, as far as the backend's own initialiser looks at one."""

    class_name = "Dense"
    name, index = "out", 1

    def __init__(self, shape, strategy, reuse_factor):
        self.attributes = {"n_in": shape.n_in, "n_out": shape.n_out, "strategy": strategy, "reuse_factor": reuse_factor}
        config = SimpleNamespace(
            get_compression=lambda _: False,
            is_resource_strategy=lambda _: strategy == "resource",
            get_strategy=lambda _: strategy,
        )
        self.model = SimpleNamespace(config=config)

    def get_attr(self, name, default=None):
        return self.attributes.get(name, default)

    def set_attr(self, name, value):
        self.attributes[name] = value


class Convolution(Layer):
    """A convolution of size 1, whose output has one row of pixels."""

    class_name = "Conv2D"

    def __init__(self, shape, strategy, reuse_factor, io_type):
        super().__init__(shape, strategy, reuse_factor)
        self.attributes |= {"n_chan": shape.n_in, "n_filt": shape.n_out, "filt_height": 1, "filt_width": 1}
        self.weights = {"weight": SimpleNamespace(data=np.zeros((1, 1, shape.n_in, shape.n_out)))}
        self.model.config.get_config_value = {"IOType": io_type}.get
        self.model.config.get_layer_config_value = lambda _layer, _name, default=None: default
        self.model.config.get_conv_implementation = lambda _: "LineBuffer"

    def get_output_variable(self):
        return SimpleNamespace(shape=(1, 12, self.attributes["n_filt"]))


def built(backend, shape, strategy, factor, io_type="io_parallel"):
    """Strategy and reuse factor that hls4ml would build; None where it refuses."""
    layer = Layer(shape, strategy, factor) if shape.positions is None else Convolution(shape, strategy, factor, io_type)
    try:
        (type(backend).init_dense if shape.positions is None else type(backend).init_conv2d)(backend, layer)
    except Exception:  # noqa: BLE001 - hls4ml's only kind
        return None
    return layer.attributes["strategy"], layer.attributes["reuse_factor"]


def test_designs_that_are_not_called_illegal_are_built_as_asked(backend):
    """For all strategies: hls4ml keeps strategy and factor exactly where `illegal` finds nothing to say."""
    pick = random.Random(0)
    kept = changed = 0
    for _ in range(1500):
        shape = LayerShape("out", pick.randint(1, 40), pick.randint(1, 40), weighted=True, activated=False)
        strategy = pick.choice(STRATEGIES)
        factor = pick.choice([pick.randint(1, 1700), *legal_reuse_factors(shape.n_in, shape.n_out)])
        design = build({"weight_bits": 4, "activation_bits": 4, "strategy": strategy, "reuse_factor": factor})
        as_asked = built(backend, shape, strategy, factor) == (strategy, factor)
        assert as_asked == (illegal(design, (shape,)) is None), (shape, strategy, factor)
        kept, changed = kept + as_asked, changed + (not as_asked)
    assert min(kept, changed) > 300


def test_convolutions_that_are_not_called_illegal_are_built_as_asked(backend):
    """As above, for both IO types; what hls4ml builds as asked and computes wrongly is called illegal too."""
    pick = random.Random(1)
    kept = changed = wrong = 0
    for _ in range(1600):
        n_in, n_out = pick.randint(1, 30), pick.randint(1, 20)
        shape = LayerShape("conv", n_in, n_out, weighted=True, activated=False, positions=12)
        strategy, io_type = pick.choice(STRATEGIES), pick.choice(IO_TYPES)
        factor = pick.choice([pick.randint(1, 600), *legal_reuse_factors(n_in, n_out)])
        knobs = {"weight_bits": 4, "activation_bits": 4, "strategy": strategy, "reuse_factor": factor, "io_type": io_type}
        as_asked = built(backend, shape, strategy, factor, io_type) == (strategy, factor)
        beyond = as_asked and strategy == "resource" and io_type == "io_parallel" and factor > n_in
        legal = illegal(build(knobs), (shape,)) is None
        assert legal == (as_asked and not beyond), (shape, strategy, factor, io_type)
        kept, changed, wrong = kept + legal, changed + (not as_asked), wrong + beyond
    assert min(kept, changed, wrong) > 50


def test_a_convolution_beyond_its_kernel_is_named_before_anything_is_built():
    """tests/nn/test_emulate.py compiles such a layer and sees other values come out."""
    conv = LayerShape("conv", 18, 4, weighted=True, activated=False, positions=16)
    knobs = {"weight_bits": 4, "activation_bits": 4, "strategy": "resource", "reuse_factor": 36}
    said = illegal(build(knobs), (conv,))
    assert said.startswith("layer conv, strategy resource: beyond 18 hls4ml")
    assert "must be one of (1, 2, 3, 6, 9, 18), got 36." in said
    assert illegal(build({**knobs, "io_type": "io_stream"}), (conv,)) is None
    assert illegal(build({**knobs, "reuse_factor": 18}), (conv,)) is None


def test_parallelization_factors_are_those_of_hls4ml(backend):
    """Divisors of the output's pixels; the knob needs io_parallel, and the depth of streams io_stream."""
    for height, width in [(1, 1), (1, 12), (6, 6), (7, 5), (30, 30)]:
        conv = LayerShape("conv", 9, 4, weighted=True, activated=True, positions=height * width)
        assert list(conv.parallelization_factors) == backend.get_valid_conv_partition_splits(height, width)
    conv = LayerShape("conv", 9, 4, weighted=True, activated=True, positions=36)
    dense = LayerShape("out", 9, 4, weighted=True, activated=False, last=True)
    knobs = {"weight_bits": 4, "activation_bits": 4}
    assert illegal(build({**knobs, "parallelization_factor.conv": 4}), (conv, dense)) is None
    assert "must be one of (1, 2, 3, 4, 6, 9" in illegal(build({**knobs, "parallelization_factor": 5}), (conv, dense))
    streamed = {**knobs, "io_type": "io_stream"}
    assert "drops it in io_stream" in illegal(build({**streamed, "parallelization_factor": 1}), (conv, dense))
    assert illegal(build({**streamed, "fifo_depth.conv": 5}), (conv, dense)) is None
    assert "drops it in io_parallel" in illegal(build({**knobs, "fifo_depth": 5}), (conv, dense))
