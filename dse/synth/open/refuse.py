"""What open synthesis does not build, found from the network's description before any time is spent."""

from __future__ import annotations

import math

import numpy as np

from dse.errors import StageFailed
from dse.network import Layer, Network
from dse.synth.open.cast import CONSTANT_BITS, SATURATION

POOLS = ("maxpool1d", "maxpool2d", "avgpool1d", "avgpool2d", "global_maxpool", "global_avgpool")
SUMS = ("dense", "conv1d", "conv2d", "depthwise_conv1d", "depthwise_conv2d")
WIRES = ("input", "quantize", "clone", "relu", "reshape", "padding", "concatenate")
KINDS = (*WIRES, *SUMS, *POOLS, "batchnorm", "merge")
#: Adder graphs are evaluated in 64-bit integers, emulated outputs in float64.
WIDEST = 53
#: What to use for all that is not unrolled.
INSTEAD = "use a vendor's synthesis instead (`dse synth --rung hls`, Vitis()) or the estimate"


def refuse(network: Network, most_adders: int) -> None:
    """StageFailed("unsupported") names the first layer that cannot be unrolled exactly, or the size that is too much."""
    if network.io_type != "io_parallel":
        raise _refused(f"io_type {network.io_type}: open synthesis unrolls the whole network; use io_parallel, or {INSTEAD}")
    for layer in network.layers:
        _check(network, layer)
    adders = sum(_adders(network, layer) for layer in network.layers if layer.kind in SUMS)
    if adders > most_adders:
        raise _refused(
            f"{adders:,} additions once everything is unrolled, {most_adders:,} are allowed (most_adders): use fewer bits, "
            f"more sparsity or a smaller network, or {INSTEAD}"
        )


def _refused(why: str) -> StageFailed:
    return StageFailed("unsupported", f"open synthesis: {why}.")


def _check(network: Network, layer: Layer) -> None:
    named = f"layer {layer.name}"
    if layer.kind not in KINDS:
        softmax = "; end the network in logits" if layer.kind == "softmax" else ""
        raise _refused(f"{named}: {layer.kind} layers are not built{softmax}, or {INSTEAD}")
    if layer.reuse_factor not in (None, 1):
        raise _refused(f"{named}: reuse_factor {layer.reuse_factor}; everything is unrolled. Use reuse_factor=1, or {INSTEAD}")
    if layer.kind == "merge" and layer.attributes["op"] != "add":
        raise _refused(f"{named}: the merge {layer.attributes['op']} is not built; use add or concatenate, or {INSTEAD}")
    if layer.kind in ("avgpool1d", "avgpool2d", "global_avgpool"):
        _check_mean(layer)
    for of in (layer.result_type, layer.accumulator_type):
        if of is not None and of.width > WIDEST:
            raise _refused(f"{named}: a type of {of.width} bits, {WIDEST} at most; use fewer bits")
        if of is not None and of.saturation not in SATURATION:
            raise _refused(f"{named}: overflow mode {of.saturation} is not built; use one of {', '.join(SATURATION)}")
    if layer.kind in SUMS or layer.kind == "batchnorm":
        _check_sums(network, layer)


def _check_mean(layer: Layer) -> None:
    pixels = math.prod(layer.input_shape[:-1])
    sizes = [int(layer.attributes.get(f"pool_{axis}", 1)) for axis in ("height", "width")]
    count = pixels if layer.kind.startswith("global") else math.prod(sizes[2 - int(layer.kind[-2]) :])
    if count & (count - 1) or layer.accumulator_type is None:
        raise _refused(f"layer {layer.name}: the mean of {count} values is no shift; use a window of 2, 4, 8, ... values")


def _check_sums(network: Network, layer: Layer) -> None:
    """Constants must be exact, and sums must not depend on the order in which they are cut or saturated."""
    for kind, of in (("weight", layer.weight_type), ("bias", layer.bias_type)):
        if of is not None and of.width > CONSTANT_BITS:
            raise _refused(f"layer {layer.name}: {kind}s of {of.width} bits, {CONSTANT_BITS} at most; use fewer bits")
    accumulator = layer.accumulator_type
    if layer.kind == "batchnorm" or accumulator is None:
        return
    assert layer.weight_type is not None
    entering = network.layer(layer.inputs[0]).result_type.fraction
    finest = entering + layer.weight_type.fraction
    if accumulator.fraction < finest:
        raise _refused(
            f"layer {layer.name}: its accumulator {accumulator} cuts products of {finest} fraction bits one by one, which "
            f"sums of shared terms cannot repeat; convert with inferred accumulators, or {INSTEAD}"
        )
    if accumulator.saturation != "WRAP":
        raise _refused(f"layer {layer.name}: its accumulator {accumulator} saturates between additions; use one that wraps")


def _adders(network: Network, layer: Layer) -> int:
    """Additions before any are shared: digits of the weights in signed binary, once per position."""
    weights = network.weights[f"{layer.name}/weight"]
    assert layer.weight_type is not None
    return layer.positions * int(signed_digits(np.rint(weights / layer.weight_type.step)).sum())


def signed_digits(numbers: np.ndarray) -> np.ndarray:
    """Non-zero digits of whole numbers in signed binary with the fewest of them: bits in which n and 3n differ."""
    n = np.abs(numbers).astype(np.int64)
    return np.asarray(np.bitwise_count((3 * n) ^ n))
