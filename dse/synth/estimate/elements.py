"""Layers without product sums: activations, normalisation, pooling, merges, softmax.

Built from the prices of single operators in reports of Vivado HLS 2018.2 to 2020.1 and Vitis HLS 2021.1 and 2023.2; relu and
softmax are compared with a genuine report by a test. No layer of these kinds has been calibrated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from dse.network import Layer, Network
from dse.synth.estimate.cost import Cost, adder_luts, ram_blocks
from dse.synth.estimate.tool import Tool

#: hls4ml's size and width of lookup tables (`table_size`, `table_t`) and the blocks of one, read by two elements at a time.
TABLE_SIZE, TABLE_BITS = 1024, 18


def elements_of(layer: Layer, *, stream: bool) -> tuple[int, int]:
    """(elements that are handled at a time, turns): io_stream takes one pixel of all channels per turn."""
    total = math.prod(layer.output_shape)
    if not stream:
        return total, 1
    width = layer.output_shape[-1]
    return width, total // width


def compare_luts(bits: float) -> float:
    """LUTs of a comparison with a constant: half its width and 5 (Vivado HLS: 13 for 16 bits, 18 for 32)."""
    return bits / 2 + 5


def cast_luts(before: int, layer: Layer) -> float:
    """LUTs of rounding and saturating one value to the layer's result type."""
    kind = layer.result_type
    found = 0.0 if kind.rounding in ("TRN", "TRN_ZERO") else adder_luts(kind.width)
    if kind.saturation != "WRAP" and kind.width < before + 1:
        found += kind.width + 6
    return found


def _per_element(layer: Layer, network: Network, luts: float) -> Cost:
    count, turns = elements_of(layer, stream=network.io_type == "io_stream")
    stream = network.io_type == "io_stream"
    extra = 4 if stream else 0  # start, read, write and done of the loop
    return Cost(lut=count * luts, latency_cycles=turns - 1 + extra, interval_cycles=turns - 1 + extra if stream else 1)


def _before(layer: Layer, network: Network) -> int:
    return network.layer(layer.inputs[0]).result_type.width


def relu(layer: Layer, network: Network, tool: Tool) -> Cost:  # noqa: ARG001
    """Compare with 0 and select, then round and saturate (`nnet_activation.h`)."""
    before = _before(layer, network)
    width = layer.result_type.width
    return _per_element(layer, network, compare_luts(before) + width - 1 + cast_luts(before, layer))


def quantize(layer: Layer, network: Network, tool: Tool) -> Cost:  # noqa: ARG001
    """Round and saturate."""
    return _per_element(layer, network, cast_luts(_before(layer, network), layer))


def activation(layer: Layer, network: Network, tool: Tool) -> Cost:  # noqa: ARG001
    """A lookup table for every two elements (a block RAM has two ports), after two limits on the index."""
    before = _before(layer, network)
    count, _ = elements_of(layer, stream=network.io_type == "io_stream")
    found = _per_element(layer, network, adder_luts(before) + 2 * compare_luts(before) + 2 * 10)
    blocks = math.ceil(count / 2) * ram_blocks(TABLE_SIZE, TABLE_BITS)
    return found.plus(Cost(ff=count * 2.0 * before, bram_18k=blocks))


def softmax(layer: Layer, network: Network, tool: Tool) -> Cost:
    """Tables of the exponential and of the inverse, a sum and a multiplication per element.

    Blocks: one per element in Vitis HLS, one per two elements and one in Vivado HLS (2 to 16 classes).
    """
    count, turns = elements_of(layer, stream=network.io_type == "io_stream")
    depth = math.ceil(math.log2(max(count, 2)))
    blocks = float(count) if tool.multipliers != "fabric" else 0.0
    luts = 60.0 * count if blocks else 60.0 * count + count * TABLE_BITS**2
    slow = 1.6 if tool.family == "7series" else 1.0
    latency = round(slow * (4.0 + depth * max(4.0 / tool.budget_ns, 1.0)))
    memory = (count if tool.vitis else math.ceil(count / 2) + 1) * ram_blocks(TABLE_SIZE, TABLE_BITS)
    return Cost(blocks, luts, 100.0 * count, memory, turns * latency, turns * latency if turns > 1 else 1)


def batchnorm(layer: Layer, network: Network, tool: Tool) -> Cost:
    """One constant multiplication and one addition per element (`nnet_batchnorm.h`)."""
    before = _before(layer, network)
    count, _ = elements_of(layer, stream=network.io_type == "io_stream")
    width = layer.weight_type.width if layer.weight_type is not None else TABLE_BITS
    wide = width > tool.fabric_bits(before)
    luts = adder_luts(before + width) + (0 if wide else 2 * adder_luts(before))
    found = _per_element(layer, network, luts)
    return found.plus(Cost(dsp=count * tool.blocks(before, width) if wide else 0.0))


def merge(layer: Layer, network: Network, tool: Tool) -> Cost:
    """One operation per element: an addition, a comparison or, for products, a multiplication (`nnet_merge.h`)."""
    before = max(network.layer(name).result_type.width for name in layer.inputs)
    operation = str(layer.attributes.get("op", "add")).lower()
    if operation not in ("multiply", "mul", "dot1d"):
        return _per_element(layer, network, adder_luts(before) + cast_luts(before + 1, layer))
    count, _ = elements_of(layer, stream=network.io_type == "io_stream")
    wide = before > tool.fabric_bits(before)
    found = _per_element(layer, network, 0.0 if wide else float(before * before))
    return found.plus(Cost(dsp=count * tool.blocks(before, before) if wide else 0.0))


def wires(layer: Layer, network: Network, tool: Tool) -> Cost:  # noqa: ARG001
    """Nothing but wires in io_parallel; one turn per pixel in io_stream."""
    if network.io_type != "io_stream" or layer.kind in ("input", "reshape"):
        return Cost()
    return _per_element(layer, network, 1.0)


#: Kinds of layers with a closed form, besides product sums and windows.
ELEMENTS: Mapping[str, Callable[[Layer, Network, Tool], Cost]] = MappingProxyType(
    {
        "relu": relu,
        "quantize": quantize,
        "activation": activation,
        "softmax": softmax,
        "batchnorm": batchnorm,
        "merge": merge,
        "input": wires,
        "reshape": wires,
        "transpose": wires,
        "concatenate": wires,
        "clone": wires,
        "padding": wires,
        "resize": wires,
    }
)
