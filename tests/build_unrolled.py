"""Small networks that open synthesis unrolls, as values: types and weights as hls4ml infers them."""

import numpy as np

from dse.network import FixedType, Layer, Network

ENTERING = FixedType(8, 2, True, "RND_CONV", "SAT")
WEIGHT = FixedType(6, 1)
RELU = FixedType(6, 1, False, "RND_CONV", "SAT")
WIDE = FixedType(24, 12, True, "TRN", "WRAP")
PART = "xcu250-figd2104-2L-e"


def drawn(seed, *shape):
    """Weights of six bits, a third of them zero."""
    rng = np.random.default_rng(seed)
    found = rng.integers(-32, 32, shape) * WEIGHT.step
    return np.where(rng.random(shape) < 0.33, 0.0, found)


def network(*layers, shape, weights, **changes):
    """A network from an input of this shape through the layers."""
    entry = Layer("x", "input", (), shape, shape, ENTERING)
    settings = {"io_type": "io_parallel", "part": PART, "clock_ns": 5.0, "backend": "Vitis", "hls4ml_version": "1.3.0"}
    return Network((entry, *layers), (layers[-1].name,), weights=weights, **{**settings, **changes})


def dense(name, source, n_in, n_out, **changes):
    """A dense layer whose sums fit."""
    types = {"weight_type": WEIGHT, "bias_type": WEIGHT, "accumulator_type": WIDE, **changes}
    sizes = {"n_in": n_in, "n_out": n_out}
    return Layer(name, "dense", (source,), (n_in,), (n_out,), types["accumulator_type"], attributes=sizes, **_knobs(types))


def _knobs(types):
    return {"strategy": "latency", "reuse_factor": 1, **types}


def plain(name, kind, source, entering, leaving, of=WIDE, **attributes):  # noqa: PLR0917
    """A layer without weights."""
    sources = (source,) if isinstance(source, str) else source
    return Layer(name, kind, sources, entering, leaving, of, attributes=attributes)


def mlp(**changes):
    """8-6-3 with a ReLU between that rounds to even and saturates."""
    layers = dense("fc1", "x", 8, 6), plain("fc1_relu", "relu", "fc1", (6,), (6,), RELU), dense("out", "fc1_relu", 6, 3)
    weights = {"fc1/weight": drawn(1, 8, 6), "fc1/bias": drawn(2, 6), "out/weight": drawn(3, 6, 3), "out/bias": drawn(4, 3)}
    return network(*layers, shape=(8,), weights=weights, **changes)


def silent():
    """8-3 whose second output is always 0, and whose first input is never looked at."""
    weights = drawn(9, 8, 3)
    weights[:, 1] = 0
    weights[0] = 0
    return network(dense("out", "x", 8, 3), shape=(8,), weights={"out/weight": weights, "out/bias": np.array([0.5, 0, -0.25])})


def window(what, size, stride=1, pad=0):
    """Attributes of a square window."""
    pads = dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), pad)
    return {f"{what}_height": size, f"{what}_width": size, "stride_height": stride, "stride_width": stride, **pads}


def conv(name, source, entering, filters, *, kind="conv2d", size=3, pad=0):
    """A convolution without strides."""
    channels, side = entering[-1], entering[0] + 2 * pad - size + 1
    multiplies = size * size * (channels if kind == "conv2d" else 1)
    attributes = {**window("filt", size, 1, pad), "n_in": multiplies, "n_out": filters, "positions": side * side}
    types = {"weight_type": WEIGHT, "bias_type": WEIGHT, "accumulator_type": WIDE}
    return Layer(name, kind, (source,), entering, (side, side, filters), WIDE, attributes=attributes, **_knobs(types))


def cnn(pool="maxpool2d"):
    """4x4x2 through a padded convolution, ReLU, pooling in 2x2 windows, and a dense layer."""
    pooled = plain("pool", pool, "relu", (4, 4, 2), (2, 2, 2), RELU, **window("pool", 2, 2))
    if pool == "avgpool2d":
        cut = FixedType(9, 4)
        pooled = Layer("pool", pool, ("relu",), (4, 4, 2), (2, 2, 2), cut, accumulator_type=cut, attributes=pooled.attributes)
    layers = (
        conv("conv", "x", (4, 4, 2), 2, pad=1),
        plain("relu", "relu", "conv", (4, 4, 2), (4, 4, 2), RELU),
        pooled,
        plain("flat", "reshape", "pool", (2, 2, 2), (8,), pooled.result_type),
        dense("out", "flat", 8, 3),
    )
    weights = {
        "conv/weight": drawn(5, 3, 3, 2, 2),
        "conv/bias": drawn(6, 2),
        "out/weight": drawn(7, 8, 3),
        "out/bias": drawn(8, 3),
    }
    return network(*layers, shape=(4, 4, 2), weights=weights)


def branches():
    """Two dense layers on one input, added and set side by side, normalised by constants."""
    layers = (
        dense("a", "x", 4, 4),
        dense("b", "x", 4, 4),
        plain("sum", "merge", ("a", "b"), (4,), (4,), FixedType(12, 6, True, "RND", "SAT"), op="add"),
        plain("both", "concatenate", ("sum", "a"), (4,), (8,), WIDE),
        Layer("norm", "batchnorm", ("both",), (8,), (8,), FixedType(16, 9), WEIGHT, WEIGHT),
    )
    weights = {"a/weight": drawn(1, 4, 4), "a/bias": drawn(2, 4), "b/weight": drawn(3, 4, 4), "b/bias": drawn(4, 4)}
    weights |= {"norm/weight": drawn(5, 8), "norm/bias": drawn(6, 8)}
    return network(*layers, shape=(4,), weights=weights)


def depthwise():
    """4x4x2, each channel by itself, then the largest value of each channel."""
    layers = (
        conv("dw", "x", (4, 4, 2), 2, kind="depthwise_conv2d"),
        plain("top", "global_maxpool", "dw", (2, 2, 2), (2,), FixedType(10, 4, True, "RND_ZERO", "SAT_SYM")),
    )
    return network(*layers, shape=(4, 4, 2), weights={"dw/weight": drawn(1, 3, 3, 2, 1), "dw/bias": drawn(2, 2)})
