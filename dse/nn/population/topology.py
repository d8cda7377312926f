"""A network's shape without its widths and values: what one compiled program serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dse.nn.graph import Node
from dse.nn.layers import CONVOLUTIONS, GLOBAL_POOLS, MERGES, POOLS

#: Options of a layer that change what it computes, by its Keras class name.
OPTIONS = {
    **dict.fromkeys(CONVOLUTIONS, ("kernel_size", "strides")),
    **dict.fromkeys(POOLS, ("pool_size", "strides")),
    **dict.fromkeys(("InputLayer", "Dense", "ReLU", "Activation", "Flatten", "Reshape", *GLOBAL_POOLS, *MERGES), ()),
    "Dropout": ("rate",),
}
#: Regularizers that have a vectorised form, with their factors.
REGULARIZERS = {"L1": ("l1",), "L2": ("l2",), "L1L2": ("l1", "l2")}


@dataclass(frozen=True)
class Layer:
    """One layer: its kind is the Keras class name; `activated`: it is, or ends in, a quantised ReLU.

    `shape` is that of one row's output. `penalties` are (array number, l1, l2) of its regularizers.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    activated: bool
    arrays: tuple[tuple[int, ...], ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    penalties: tuple[tuple[int, float, float], ...] = ()

    def __getitem__(self, option: str) -> Any:
        """An option's value."""
        return dict(self.options)[option]


Topology = tuple[Layer, ...]


def reason(nodes: tuple[Node, ...]) -> str:
    """Why a network cannot be trained together with others, naming the layer; "" where it can."""
    for node in nodes:
        if node.kind not in OPTIONS:
            return f"layer {node.name} is a {node.kind}, which has no form for many networks at once"
        for name, _, found in _regularizers(node):
            if type(found).__name__ not in REGULARIZERS:
                return f"layer {node.name}: its {name} {type(found).__name__} has no form for many networks at once"
        if node.kind == "Dropout" and node.layer.noise_shape is not None:
            return f"layer {node.name}: a dropout with a noise shape has no form for many networks at once"
    return ""


def topology(nodes: tuple[Node, ...]) -> Topology:
    """The network of the float model's layers; only for those without a `reason`."""
    return tuple(_layer(node) for node in nodes)


def _layer(node: Node) -> Layer:
    output = node.layer.output_shape
    return Layer(
        name=node.name,
        kind=node.kind,
        inputs=node.inputs,
        shape=tuple((output[0] if isinstance(output, list) else output)[1:]),
        activated=node.activated,
        arrays=tuple(array.shape for array in node.weights()) if node.weighted else (),
        options=tuple((name, _plain(getattr(node.layer, name))) for name in OPTIONS[node.kind]),
        penalties=tuple((n, float(getattr(r, "l1", 0)), float(getattr(r, "l2", 0))) for _, n, r in _regularizers(node)),
    )


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _regularizers(node: Node) -> Iterator[tuple[str, int, Any]]:
    """Name, number of its array, and what it is, of each regularizer that the quantised layer keeps."""
    if node.weighted:
        for name, number in (("kernel_regularizer", 0), ("depthwise_regularizer", 0), ("bias_regularizer", 1)):
            found = getattr(node.layer, name, None)
            if found is not None and number < 1 + node.use_bias:
                yield name, number, found
