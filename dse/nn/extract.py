"""From hls4ml's graph, after its optimisers have run, to a plain `Network`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dse.errors import StageFailed
from dse.network import FixedType, Layer, Network

#: The strategy for which hls4ml writes the weights into the code.
ADDERS = "distributed_arithmetic"
#: Layer kinds by hls4ml's class names.
KINDS = {
    "Input": "input",
    "Dense": "dense",
    "Conv1D": "conv1d",
    "Conv2D": "conv2d",
    "DepthwiseConv1D": "depthwise_conv1d",
    "DepthwiseConv2D": "depthwise_conv2d",
    "BatchNormalization": "batchnorm",
    "ApplyAlpha": "batchnorm",
    "PointwiseConv1D": "conv1d",
    "PointwiseConv2D": "conv2d",
    "Softmax": "softmax",
    "Reshape": "reshape",
    "Repack": "reshape",
    "Clone": "clone",
    "ZeroPadding1D": "padding",
    "ZeroPadding2D": "padding",
    "Transpose": "transpose",
    "Merge": "merge",
    "Concatenate": "concatenate",
    "FixedPointQuantizer": "quantize",
}


def extract(converted: Any, twin: Any | None = None) -> Network:
    """The `Network` of an hls4ml ModelGraph after its optimisers ran: types, weights and knobs as they will be built.

    hls4ml deletes the weights of layers of the strategy distributed_arithmetic once it has written them into the code. `twin`
    is the graph of the same model with the latency strategy, whose weights and their types stand for those; StageFailed
    ("invalid") where the two graphs differ in anything that decides the outputs.
    """
    found = _extract(converted)
    return found if twin is None else _revealed(found, _extract(twin))


def _revealed(network: Network, twin: Network) -> Network:
    """The network with the weights of its twin in the layers that have lost theirs."""
    hidden = [layer.name for layer in network.layers if layer.strategy == ADDERS]
    layers = []
    for layer, like in zip(network.layers, twin.layers, strict=False):
        typed = replace(layer, weight_type=like.weight_type, bias_type=like.bias_type)
        layers.append(typed if layer.name in hidden else layer)
    lost = {name: array for name, array in twin.weights.items() if name.rpartition("/")[0] in hidden}
    found = replace(network, layers=tuple(layers), weights={**network.weights, **lost})
    if found.function_digest != twin.function_digest:
        raise StageFailed("invalid", f"hls4ml builds other layers or types for {ADDERS} than for the latency strategy.")
    return found


def _extract(converted: Any) -> Network:
    import hls4ml

    layers, weights = [], {}
    producers = {output: node.name for node in converted.get_layers() for output in node.outputs}
    for node in converted.get_layers():
        layer = _layer(node, tuple(producers[name] for name in node.inputs if name in producers and node.class_name != "Input"))
        layers.append(layer)
        for name, variable in node.weights.items():
            if name in ("weight", "bias", "scale"):
                key = "weight" if name == "scale" else name
                data = _untransposed(node, np.asarray(variable.data, dtype=np.float64)) if name == "weight" else variable.data
                weights[f"{layer.name}/{key}"] = np.asarray(data, dtype=np.float64)
    outputs = tuple(producers[name] for name in converted.outputs)
    told = converted.config.get_config_value
    io_type, part, clock_ns = str(told("IOType")), str(told("Part")), float(told("ClockPeriod"))
    return Network(tuple(layers), outputs, io_type, part, clock_ns, str(told("Backend")), hls4ml.__version__, weights)


def _layer(node: Any, inputs: tuple[str, ...]) -> Layer:
    kind = _kind(node)
    before = node.get_input_variable() if inputs else node.get_output_variable()
    after = node.get_output_variable()
    types = {key: _type(node, name) for key, name in _TYPES.items()}
    strategy = node.get_attr("strategy")
    multiplies = strategy is not None and (node.get_attr("weight") is not None or str(strategy) == ADDERS)
    reuse = node.get_attr("reuse_factor")
    return Layer(
        name=node.name,
        kind=kind,
        inputs=inputs,
        input_shape=tuple(int(n) for n in before.shape),
        output_shape=tuple(int(n) for n in after.shape),
        result_type=_fixed(after.type.precision),
        strategy=str(strategy) if multiplies else "",
        reuse_factor=int(reuse) if multiplies and reuse is not None else None,
        attributes=_attributes(node, kind, tuple(int(n) for n in after.shape)) | _stream(after),
        **types,
    )


_TYPES = {"weight_type": "weight", "bias_type": "bias", "accumulator_type": "accum_t"}


def _type(node: Any, name: str) -> FixedType | None:
    found = node.get_attr(name)  # a weight variable or, for the accumulator, a type
    return None if found is None else _fixed(getattr(found, "type", found).precision)


def _fixed(precision: Any) -> FixedType:
    """Read hls4ml's fixed, integer or 1-bit precision."""
    rounding = getattr(precision, "rounding_mode", None)
    saturation = getattr(precision, "saturation_mode", None)
    integer = getattr(precision, "integer", precision.width)
    signed = bool(getattr(precision, "signed", True))
    return FixedType(
        int(precision.width),
        int(integer),
        signed,
        str(rounding or "TRN").split(".")[-1],
        str(saturation or "WRAP").split(".")[-1],
    )


def _kind(node: Any) -> str:
    if node.class_name in ("Activation", "ParametrizedActivation"):
        activation = str(node.get_attr("activation")).lower()
        if activation == "thresholdedrelu" and not node.get_attr("activ_param"):
            return "relu"  # what hls4ml makes of Keras 3's layer of that name
        return {"relu": "relu", "linear": "quantize", "softmax": "softmax"}.get(activation, "activation")
    if "Pooling" in node.class_name:
        operation = "maxpool" if str(node.get_attr("pool_op")).lower() == "max" else "avgpool"
        return f"global_{operation}" if "Global" in node.class_name else f"{operation}{node.class_name[-2]}d"
    return KINDS.get(node.class_name) or str(node.class_name).lower()


#: Attributes that define a layer's function, or how it is built.
_KEPT = (
    "filt_height", "filt_width", "stride_height", "stride_width", "pad_top", "pad_bottom", "pad_left", "pad_right",
    "n_chan", "n_filt", "in_height", "in_width", "out_height", "out_width", "pool_height", "pool_width", "padding",
    "data_format", "activation", "op", "axis", "target_shape", "perm", "table_size", "implementation",
    "parallelization_factor", "count_pad", "depth_multiplier",
)  # fmt: skip


def _attributes(node: Any, kind: str, shape: tuple[int, ...]) -> dict[str, Any]:
    found = {name: node.get_attr(name) for name in _KEPT if node.get_attr(name) is not None}
    if kind == "dense":
        found |= {"n_in": int(node.get_attr("n_in")), "n_out": int(node.get_attr("n_out"))}
    elif kind in ("conv1d", "conv2d"):
        kernel = int(node.get_attr("filt_height", 1)) * int(node.get_attr("filt_width"))
        found |= {"n_in": kernel * int(node.get_attr("n_chan")), "n_out": int(node.get_attr("n_filt"))}
        found["positions"] = int(np.prod(shape[:-1]))
    elif kind.startswith("depthwise"):
        kernel = int(node.get_attr("filt_height", 1)) * int(node.get_attr("filt_width"))
        found |= {"n_in": kernel, "n_out": int(shape[-1]), "positions": int(np.prod(shape[:-1]))}
    return {name: _json(value) for name, value in found.items()}


def _stream(variable: Any) -> dict[str, int]:
    """The depth of the layer's stream where it is not what hls4ml chooses, a whole output."""
    pragma = getattr(variable, "pragma", None)
    if not isinstance(pragma, tuple) or pragma[0] != "stream":
        return {}
    depth = int(pragma[1])
    return {} if depth == _pixels(tuple(variable.shape)) else {"fifo_depth": depth}


def fifo_depth(layer: Layer) -> int:
    """How many values (of all channels) the stream that leaves a layer holds in io_stream."""
    return int(layer.attributes.get("fifo_depth", _pixels(layer.output_shape)))


def _pixels(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape)) // int(shape[-1])


def _json(value: Any) -> Any:
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_json(item) for item in value]
    if isinstance(value, (bool, str)) or value is None:
        return value
    return int(value) if isinstance(value, (int, np.integer)) else str(value)


def _untransposed(node: Any, array: np.ndarray) -> np.ndarray:
    """Keras' layout; the resource strategy has turned the weights round for the hardware."""
    if not node.get_attr("_weights_transposed"):
        return array
    order = {2: (1, 0), 3: (1, 2, 0), 4: (1, 2, 3, 0)}[array.ndim]
    return np.transpose(array, order)
