"""Our own rule for reuse factors and strategies against hls4ml's."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from dse import legacy_keras
from dse.design import STRATEGIES, build
from dse.space import LayerShape, illegal, legal_reuse_factors

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


def built(backend, shape, strategy, factor):
    """Strategy and reuse factor that hls4ml would build; None where it refuses."""
    layer = Layer(shape, strategy, factor)
    try:
        type(backend).init_dense(backend, layer)
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
