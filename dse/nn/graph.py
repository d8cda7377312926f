"""From a float Keras model to the same model with QKeras layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dse import legacy_keras  # noqa: F401 - before tensorflow
from dse.errors import StageFailed
from dse.fixed import Quantizer
from dse.nn.layers import CONVOLUTIONS, MERGES, WEIGHTED, activation, check, refuse

#: The name of a Sequential model's input; hls4ml keeps "input" for itself.
INPUT = "inputs"
#: The name under which the quantiser of the network's input is kept.
INPUT_QUANTIZER = "*input*"


@dataclass(frozen=True)
class Node:
    """One layer of the float model: its Keras layer, the names of those before it, and what it is to the compression.

    `batchnorm` is the BatchNormalization after it, which is folded into its weights: hls4ml would build it as a multiplication
    by unquantised factors.
    """

    layer: Any
    inputs: tuple[str, ...]
    batchnorm: Any = None

    @property
    def name(self) -> str:
        """The layer's name."""
        return str(self.layer.name)

    @property
    def kind(self) -> str:
        """The Keras class name."""
        return type(self.layer).__name__

    @property
    def weighted(self) -> bool:
        """It has a kernel that is quantised and can be pruned."""
        return self.kind in WEIGHTED

    @property
    def activated(self) -> bool:
        """It is, or ends in, a ReLU whose output is quantised."""
        return self.kind == "ReLU" or activation(self.layer) == "relu"

    @property
    def use_bias(self) -> bool:
        """Whether the quantised layer has a bias: its own, or what is left of the normalisation."""
        return bool(self.layer.use_bias) or self.batchnorm is not None

    @property
    def positions(self) -> int | None:
        """How often a convolution's kernel is applied: its output's pixels; None for other layers."""
        return math.prod(self.layer.output_shape[1:-1]) if self.kind in CONVOLUTIONS else None

    @property
    def size(self) -> tuple[int, int]:
        """(n_in, n_out) as hls4ml's rules for reuse factors count them; (0, 0) without weights."""
        if not self.weighted:
            return 0, 0
        if self.kind == "DepthwiseConv2D":
            height, width, channels, multiplier = self.layer.depthwise_kernel.shape
            return int(height * width * channels), int(channels * multiplier)
        shape = self.layer.kernel.shape
        return math.prod(int(n) for n in shape[:-1]), int(shape[-1])

    def weights(self) -> list[np.ndarray]:
        """The float kernel and bias (where it has one), with the normalisation folded in."""
        kernel, *rest = (np.asarray(array, dtype=np.float64) for array in self.layer.get_weights())
        if self.batchnorm is None:
            return [kernel, *rest]
        norm = self.batchnorm
        gamma, beta = (None if p is None else np.asarray(p, dtype=np.float64) for p in (norm.gamma, norm.beta))
        mean, variance = (np.asarray(p, dtype=np.float64) for p in (norm.moving_mean, norm.moving_variance))
        scale = (1.0 if gamma is None else gamma) / np.sqrt(variance + norm.epsilon)
        bias = ((rest[0] if rest else 0.0) - mean) * scale + (0.0 if beta is None else beta)
        folded = kernel * (scale.reshape(kernel.shape[-2:]) if self.kind == "DepthwiseConv2D" else scale)
        return [folded, bias]


def nodes(model: Any) -> tuple[Node, ...]:
    """The model's layers in order of evaluation, normalisations folded into the layers before them.

    StageFailed("unsupported") names the first layer that cannot be built exactly.
    """
    import tf_keras

    if isinstance(model, tf_keras.Sequential):
        names = [layer.name for layer in model.layers]
        found = [Node(layer, (names[i - 1],) if i else (INPUT,)) for i, layer in enumerate(model.layers)]
        first = tf_keras.layers.InputLayer(input_shape=tuple(model.input_shape[1:]), name=INPUT)
        found.insert(0, Node(first, ()))
    else:
        inbound = {row["name"]: row["inbound_nodes"] for row in model.get_config()["layers"]}
        found = [Node(layer, _before(layer.name, inbound[layer.name])) for layer in model.layers]
    for node in found:
        check(node.layer)
        if node.kind in MERGES and len(set(node.inputs)) != 2:
            raise refuse(node.name, f"hls4ml merges two different layers, got {', '.join(node.inputs)}. Use several merges")
    return _folded(found)


def _before(name: str, calls: list[Any]) -> tuple[str, ...]:
    if len(calls) > 1:
        raise StageFailed(
            "unsupported", f"layer {name} is used {len(calls)} times; hls4ml builds each layer once. Use two layers."
        )
    return tuple(row[0] for row in calls[0]) if calls else ()


def _folded(found: list[Node]) -> tuple[Node, ...]:
    """The nodes without their normalisations, each of which a linear layer with weights before it takes in."""
    by_name = {node.name: node for node in found}
    norms = {node.inputs[0]: node for node in found if node.kind == "BatchNormalization"}
    renamed = {node.name: before for before, node in norms.items()}
    for before, norm in norms.items():
        node = by_name[before]
        alone = sum(before in other.inputs for other in found) == 1
        axes = norm.layer.axis if isinstance(norm.layer.axis, (list, tuple)) else [norm.layer.axis]
        last = [axis in (-1, len(norm.layer.output_shape) - 1) for axis in axes] == [True]
        if not (node.weighted and not node.activated and alone and last):
            what = f"{before} is a {node.kind}{' with relu' if node.activated else ''}{'' if alone else ' with other users'}"
            raise refuse(
                norm.name,
                "BatchNormalization is folded, over the last axis, into a linear Dense or convolution straight before it; "
                f"layer {what}. Put it between such a layer and its activation",
            )
    kept = [node for node in found if node.kind != "BatchNormalization"]
    return tuple(
        replace(
            node,
            inputs=tuple(renamed.get(name, name) for name in node.inputs),
            batchnorm=norms[node.name].layer if node.name in norms else None,
        )
        for node in kept
    )


@dataclass(frozen=True)
class Quantizers:
    """The quantiser of every weight, bias and activation, by layer name; INPUT_QUANTIZER stands for the input."""

    weights: Mapping[str, Quantizer]
    biases: Mapping[str, Quantizer]
    activations: Mapping[str, Quantizer]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {group: {name: asdict(q) for name, q in getattr(self, group).items()} for group in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Quantizers:
        """The inverse of `as_json`."""
        return cls(**{group: {name: Quantizer(**q) for name, q in rows.items()} for group, rows in found.items()})


def qkeras_of(quantizer: Quantizer) -> Any:
    """QKeras' quantiser."""
    from qkeras import quantized_bits, quantized_relu, ternary

    if quantizer.ternary:
        return ternary(alpha=1)
    if quantizer.signed:
        return quantized_bits(quantizer.bits, quantizer.integer, alpha=1)
    return quantized_relu(quantizer.bits, quantizer.integer)


def quantised(float_nodes: tuple[Node, ...], quantizers: Quantizers, wrap: Callable[[Any], Any] = lambda layer: layer) -> Any:
    """The QKeras model of the float model's layers, untrained; `wrap` is applied to each layer that has weights."""
    import tf_keras
    from qkeras import QActivation

    tensors: dict[str, Any] = {}
    for node in float_nodes:
        before = [tensors[name] for name in node.inputs]
        if node.kind == "InputLayer":
            shape = (
                node.layer.batch_input_shape[1:] if hasattr(node.layer, "batch_input_shape") else node.layer.input_shape[0][1:]
            )
            entry = tf_keras.layers.Input(shape, name=node.name)
            out = QActivation(qkeras_of(quantizers.activations[INPUT_QUANTIZER]), name=f"{node.name}_quantized")(entry)
            tensors.setdefault("", entry)
        elif node.weighted:
            out = wrap(_quantised_layer(node, quantizers))(before[0])
        elif node.activated:
            out = before[0]
        else:
            out = _same_layer(node)(before if node.kind in MERGES else before[0])
        if node.activated:
            name = f"{node.name}_relu" if node.weighted else node.name
            out = QActivation(qkeras_of(quantizers.activations[node.name]), name=name)(out)
        tensors[node.name] = out
    return tf_keras.Model(tensors[""], tensors[float_nodes[-1].name])


def _same_layer(node: Node) -> Any:
    changed = {"axis": -1} if node.kind == "Concatenate" else {}
    return type(node.layer).from_config({**node.layer.get_config(), **changed})


def _quantised_layer(node: Node, quantizers: Quantizers) -> Any:
    """QKeras' layer of this kind, with the same geometry and regularizers."""
    import qkeras

    layer, kernel = node.layer, "depthwise" if node.kind == "DepthwiseConv2D" else "kernel"
    options: dict[str, Any] = {
        "use_bias": node.use_bias,
        f"{kernel}_regularizer": getattr(layer, f"{kernel}_regularizer"),
        "bias_regularizer": layer.bias_regularizer,
        f"{kernel}_quantizer": qkeras_of(quantizers.weights[node.name]),
        "bias_quantizer": qkeras_of(quantizers.biases[node.name]) if node.use_bias else None,
        "name": node.name,
    }
    if node.kind == "Dense":
        return qkeras.QDense(layer.units, **options)
    options |= {"kernel_size": layer.kernel_size, "strides": layer.strides, "padding": layer.padding}
    if node.kind == "DepthwiseConv2D":
        return qkeras.QDepthwiseConv2D(depth_multiplier=layer.depth_multiplier, **options)
    return getattr(qkeras, f"Q{node.kind}")(layer.filters, **options)


def float_activations(model: Any, float_nodes: tuple[Node, ...], x: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs of the float model's ReLUs for rows `x` (n, ...), by layer name."""
    import tf_keras

    names = [node.name for node in float_nodes if node.activated]
    if not names:
        return {}
    probe = tf_keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    outputs = probe(x, training=False)
    return dict(zip(names, [np.asarray(o) for o in (outputs if len(names) > 1 else [outputs])], strict=True))
