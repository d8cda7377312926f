"""From a float Keras model to the same model with QKeras layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dse import legacy_keras  # noqa: F401 - before tensorflow
from dse.errors import StageFailed
from dse.fixed import Quantizer

#: The name of a Sequential model's input; hls4ml keeps "input" for itself.
INPUT = "inputs"
#: The name under which the quantiser of the network's input is kept.
INPUT_QUANTIZER = "*input*"
#: Keras layers that can be quantised, by class name.
SUPPORTED = ("InputLayer", "Dense", "ReLU", "Activation", "Flatten", "Reshape", "Dropout")


@dataclass(frozen=True)
class Node:
    """One layer of the float model: its Keras layer, the names of those before it, and what it is to the compression."""

    layer: Any
    inputs: tuple[str, ...]

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
        return self.kind == "Dense"

    @property
    def activated(self) -> bool:
        """It is, or ends in, a ReLU whose output is quantised."""
        return self.kind == "ReLU" or _activation(self.layer) == "relu"


def _activation(layer: Any) -> str:
    found = getattr(layer, "activation", None)
    return "linear" if found is None else str(getattr(found, "__name__", found))


def nodes(model: Any) -> tuple[Node, ...]:
    """The model's layers in order of evaluation, checked; StageFailed("unsupported") names the first that cannot be built."""
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
        _check(node)
    return tuple(found)


def _before(name: str, calls: list[Any]) -> tuple[str, ...]:
    if len(calls) > 1:
        raise StageFailed(
            "unsupported", f"layer {name} is used {len(calls)} times; hls4ml builds each layer once. Use two layers."
        )
    return tuple(row[0] for row in calls[0]) if calls else ()


def _check(node: Node) -> None:
    layer = node.layer
    if node.kind not in SUPPORTED:
        raise StageFailed(
            "unsupported", f"layer {node.name} is a {node.kind}; these can be quantised and built: {', '.join(SUPPORTED[1:])}."
        )
    if not re.fullmatch(r"[A-Za-z]\w*", node.name):
        raise StageFailed("unsupported", f"layer {node.name!r}: a layer's name becomes a C++ name; use letters, digits and _.")
    if _activation(layer) not in ("linear", "relu"):
        raise StageFailed(
            "unsupported",
            f"layer {node.name} ends in {_activation(layer)}; use relu or linear, and end the network in logits (no softmax).",
        )
    if node.weighted and (layer.kernel_constraint is not None or layer.bias_constraint is not None):
        raise StageFailed("unsupported", f"layer {node.name}: constraints do not survive quantisation; use a regularizer.")
    if node.kind == "ReLU" and (layer.max_value is not None or layer.negative_slope or layer.threshold):
        raise StageFailed(
            "unsupported", f"layer {node.name}: hls4ml drops max_value, negative_slope and threshold; use a plain ReLU."
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


def _qkeras(quantizer: Quantizer) -> Any:
    from qkeras import quantized_bits, quantized_relu

    if quantizer.signed:
        return quantized_bits(quantizer.bits, quantizer.integer, alpha=1)
    return quantized_relu(quantizer.bits, quantizer.integer)


def quantised(float_nodes: tuple[Node, ...], quantizers: Quantizers, wrap: Callable[[Any], Any] = lambda layer: layer) -> Any:
    """The QKeras model of the float model's layers, untrained; `wrap` is applied to each layer that has weights."""
    import tf_keras
    from qkeras import QActivation, QDense

    tensors: dict[str, Any] = {}
    for node in float_nodes:
        before = [tensors[name] for name in node.inputs]
        if node.kind == "InputLayer":
            shape = (
                node.layer.batch_input_shape[1:] if hasattr(node.layer, "batch_input_shape") else node.layer.input_shape[0][1:]
            )
            entry = tf_keras.layers.Input(shape, name=node.name)
            out = QActivation(_qkeras(quantizers.activations[INPUT_QUANTIZER]), name=f"{node.name}_quantized")(entry)
            tensors.setdefault("", entry)
        elif node.weighted:
            out = wrap(
                QDense(
                    node.layer.units,
                    use_bias=node.layer.use_bias,
                    kernel_regularizer=node.layer.kernel_regularizer,
                    bias_regularizer=node.layer.bias_regularizer,
                    kernel_quantizer=_qkeras(quantizers.weights[node.name]),
                    bias_quantizer=_qkeras(quantizers.biases[node.name]) if node.layer.use_bias else None,
                    name=node.name,
                )
            )(before[0])
        elif node.activated:
            out = before[0]
        else:
            out = type(node.layer).from_config(node.layer.get_config())(before[0])
        if node.activated:
            name = f"{node.name}_relu" if node.weighted else node.name
            out = QActivation(_qkeras(quantizers.activations[node.name]), name=name)(out)
        tensors[node.name] = out
    return tf_keras.Model(tensors[""], tensors[float_nodes[-1].name])


def float_activations(model: Any, float_nodes: tuple[Node, ...], x: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs of the float model's ReLUs for rows `x` (n, ...), by layer name."""
    import tf_keras

    names = [node.name for node in float_nodes if node.activated]
    if not names:
        return {}
    probe = tf_keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    outputs = probe(x, training=False)
    return dict(zip(names, [np.asarray(o) for o in (outputs if len(names) > 1 else [outputs])], strict=True))
