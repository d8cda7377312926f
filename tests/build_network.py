"""Small networks for tests of the estimate, as values."""

import numpy as np

from dse.network import FixedType, Layer, Network

WIDE = FixedType(16, 6)
NARROW = FixedType(8, 1)
QUANTISED = FixedType(6, 0, False, "RND_CONV", "SAT")
PART = "xcu250-figd2104-2L-e"


def dense(name, source, n_in, n_out, *, strategy="latency", reuse_factor=1, weight=NARROW):
    """A dense layer with 16-bit sums."""
    sizes = {"n_in": n_in, "n_out": n_out}
    return Layer(name, "dense", (source,), (n_in,), (n_out,), WIDE, weight, weight, WIDE, strategy, reuse_factor, sizes)


def relu(name, source, *shape):
    """A quantised relu of 6 bits."""
    return Layer(name, "relu", (source,), shape, shape, QUANTISED)


def conv(name, source, entering, filters, *, kernel=3, strategy="latency", reuse_factor=1):
    """A 2D convolution without padding."""
    rows, columns, channels = entering
    shape = (rows - kernel + 1, columns - kernel + 1, filters)
    sizes = {
        "n_in": kernel * kernel * channels, "n_out": filters, "positions": shape[0] * shape[1],
        "filt_height": kernel, "filt_width": kernel, "in_height": rows, "in_width": columns,
    }  # fmt: skip
    types = (WIDE, NARROW, NARROW, WIDE)
    return Layer(name, "conv2d", (source,), entering, shape, *types, strategy, reuse_factor, sizes)


def drawn(layer, seed=0, spread=20):
    """Seeded weights of a layer's type."""
    kind, generator = layer.weight_type, np.random.default_rng(seed)
    low, high = -(2 ** (kind.width - 1)), 2 ** (kind.width - 1) - 1
    return np.rint(generator.normal(size=(layer.n_in, layer.n_out)) * spread).clip(low, high) * kind.step


def network(*layers, weights=None, entering=None, **changes):
    """A network from an input through `layers`, with seeded weights where none are given."""
    shape = layers[0].input_shape if entering is None else entering
    found = {f"{layer.name}/weight": drawn(layer) for layer in layers if layer.weight_type is not None}
    settings = {"io_type": "io_parallel", "part": PART, "clock_ns": 5.0, "backend": "Vivado", "hls4ml_version": "1.3.0"}
    return Network(
        layers=(Layer("x", "input", (), shape, shape, WIDE), *layers),
        outputs=(layers[-1].name,),
        weights={**found, **(weights or {})},
        **{**settings, **changes},
    )
