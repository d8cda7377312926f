"""Which Keras layers can be quantised and built exactly, and why others cannot.

Every kind is proved by tests that compile hls4ml's emulation; what hls4ml would drop or compute otherwise is refused by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from dse.errors import StageFailed

#: Layers with a kernel that is quantised and can be pruned.
CONVOLUTIONS = ("Conv1D", "Conv2D", "DepthwiseConv2D")
WEIGHTED = ("Dense", *CONVOLUTIONS)
POOLS = ("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D")
GLOBAL_POOLS = ("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D")
MERGES = ("Add", "Concatenate")
#: Keras layers that can be quantised and built, by class name.
SUPPORTED = (
    *WEIGHTED, "BatchNormalization", "ReLU", "Activation", *POOLS, *GLOBAL_POOLS, *MERGES, "Flatten", "Reshape", "Dropout",
)  # fmt: skip
#: What is wrong with layers that people might expect to work.
REASONS = {
    "ZeroPadding1D": 'hls4ml 1.3 states no exact types for it. Use padding="same" in the convolution',
    "ZeroPadding2D": 'hls4ml 1.3 states no exact types for it. Use padding="same" in the convolution',
    "DepthwiseConv1D": "QKeras has no quantised layer of this kind. Use Conv1D",
    "SeparableConv1D": "hls4ml rounds between its two steps where QKeras does not. Use Conv1D",
    "SeparableConv2D": "hls4ml rounds between its two steps where QKeras does not. Use DepthwiseConv2D and a Conv2D of size 1",
    "Softmax": "end the network in logits",
}


def activation(layer: Any) -> str:
    """The name of a layer's activation function; "linear" where it has none."""
    found = getattr(layer, "activation", None)
    return "linear" if found is None else str(getattr(found, "__name__", found))


def refuse(name: str, why: str) -> StageFailed:
    """The failure of a layer that cannot be built."""
    return StageFailed("unsupported", f"layer {name}: {why}.")


def check(layer: Any) -> None:
    """StageFailed("unsupported") with the reason where hls4ml would not build the layer exactly as Keras computes it."""
    name, kind = str(layer.name), type(layer).__name__
    if kind not in (*SUPPORTED, "InputLayer"):
        reason = f" ({REASONS[kind]})" if kind in REASONS else ""
        raise StageFailed(
            "unsupported",
            f"layer {name} is a {kind}{reason}; these can be quantised and built: {', '.join(SUPPORTED)}.",
        )
    if not re.fullmatch(r"[A-Za-z]\w*", name):
        raise StageFailed("unsupported", f"layer {name!r}: a layer's name becomes a C++ name; use letters, digits and _.")
    if activation(layer) not in ("linear", "relu"):
        raise StageFailed(
            "unsupported",
            f"layer {name} ends in {activation(layer)}; use relu or linear, and end the network in logits (no softmax).",
        )
    if getattr(layer, "data_format", None) == "channels_first":
        raise refuse(name, "channels must come last (data_format)")
    if kind in WEIGHTED:
        _check_weighted(layer, name, kind)
    elif kind in (*POOLS, *GLOBAL_POOLS):
        _check_pool(layer, name, kind)
    elif kind == "Concatenate" and layer.axis not in (-1, len(layer.output_shape) - 1):
        raise refuse(name, f"axis {layer.axis}: only the last axis can be built exactly. Use axis=-1")
    check_dropped(layer)


def check_dropped(layer: Any) -> None:
    """StageFailed("unsupported") for options that hls4ml drops without a word; of any Keras' layer."""
    name, kind = str(layer.name), type(layer).__name__
    if kind == "ReLU" and (layer.max_value not in (None, math.inf) or layer.negative_slope or layer.threshold):
        raise refuse(name, "hls4ml drops max_value, negative_slope and threshold; use a plain ReLU")
    dilation = getattr(layer, "dilation_rate", 1)
    rates = tuple(dilation) if isinstance(dilation, Sequence) else (dilation,)
    if any(rate != 1 for rate in rates):
        raise refuse(name, f"dilation_rate {rates}: hls4ml drops dilation. Use dilation_rate=1")
    if getattr(layer, "groups", 1) != 1:
        raise refuse(name, f"groups {layer.groups}: hls4ml builds no grouped convolutions. Use groups=1")


def _check_weighted(layer: Any, name: str, kind: str) -> None:
    names = [n for n in ("kernel_constraint", "depthwise_constraint", "bias_constraint") if getattr(layer, n, None) is not None]
    if names:
        raise refuse(name, "constraints do not survive quantisation; use a regularizer")
    if kind == "Dense":
        if len(layer.input_shape) != 2:
            raise refuse(name, f"a Dense layer on rows of shape {tuple(layer.input_shape[1:])}; flatten them first")
        return
    if getattr(layer, "depth_multiplier", 1) != 1:
        raise refuse(name, f"depth_multiplier {layer.depth_multiplier}: hls4ml 1.3 states no exact types for it. Use 1")
    if layer.padding not in ("valid", "same"):
        raise refuse(name, f'padding {layer.padding!r}: use "valid" or "same"')


def _check_pool(layer: Any, name: str, kind: str) -> None:
    windows = layer.input_shape[1:-1] if kind in GLOBAL_POOLS else layer.pool_size
    size = math.prod(windows if isinstance(windows, Sequence) else (windows,))
    if "Average" in kind and size & (size - 1):
        raise refuse(name, f"the mean of {size} values has no exact fixed-point type. Use windows of 2, 4, 8, ... values")
    if kind in GLOBAL_POOLS:
        return
    if tuple(layer.strides) != tuple(layer.pool_size):
        raise refuse(name, "hls4ml streams no pooling windows that overlap or leave gaps. Use strides equal to pool_size")
    if layer.padding == "valid":
        return
    for inputs, outputs, stride, window in zip(
        layer.input_shape[1:-1], layer.output_shape[1:-1], layer.strides, layer.pool_size, strict=True
    ):
        if (outputs - 1) * stride + window > inputs:
            raise refuse(name, 'hls4ml pads pooling windows with a value of its own. Use padding="valid"')
