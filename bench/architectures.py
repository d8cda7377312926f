"""Architectures as published tables tell them: chains of widths, names, LeNets in words, Keras models beside the table."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from dse.errors import UsageError

#: Architectures that tables mention by name alone.
KNOWN = {"jet mlp": [16, 64, 32, 32, 5]}
#: Where published data lie, Keras models of some networks among them.
SHARED = Path(os.environ.get("DSE_SHARED", Path(__file__).parents[2] / "shared"))


@dataclass(frozen=True)
class Shape:
    """One layer of an architecture: its kind, output shape and attributes."""

    kind: str
    size: tuple[int, ...]
    attributes: dict[str, int]


def shapes_of(text: str, folder: Path) -> list[Shape]:
    """The layers of a network by what its row calls it; UsageError where that is not enough."""
    for place in (folder, SHARED / "synthesis"):
        model = place / "kebl_cnn_stream" / "models" / f"{text}_model.json"
        if model.is_file():
            return _keras(json.loads(model.read_text()))
    convolutions = convolutions_of(text)
    if convolutions:
        return convolutions
    sizes = sizes_of(text)
    return [Shape("input", (sizes[0],), {}), *(Shape("dense", (n,), {}) for n in sizes[1:])]


def sizes_of(text: str) -> list[int]:
    """Widths of a multilayer perceptron: `MLP 10-5-3-2`, `QDense 32->64`, or a name that is known."""
    found = re.search(r"\d+(?:\s*(?:-|->)\s*\d+)+", text)
    if found:
        return [int(n) for n in re.findall(r"\d+", found[0])]
    for name, sizes in KNOWN.items():
        if name in text.lower():
            return sizes
    raise UsageError(f"architecture not stated: {text!r}")


def convolutions_of(text: str) -> list[Shape]:
    """A LeNet told in words, `LeNet 28x28x1: conv 6@5x5, 16@5x5, FC120, FC84, 10`: each convolution is pooled by two."""
    entering = re.search(r"\b(\d+)x(\d+)x(\d+)\b", text)
    kernels = list(re.finditer(r"\b(\d+)@(\d+)x\d+", text))
    if "lenet" not in text.lower() or entering is None or not kernels:
        return []
    size = tuple(int(n) for n in entering.groups())
    shapes = [Shape("input", size, {})]
    for found in kernels:
        filters, k = int(found[1]), int(found[2])
        rows, columns = size[0] - k + 1, size[1] - k + 1
        shapes.append(Shape("conv2d", (rows, columns, filters), {"filt_height": k, "filt_width": k}))
        shapes.append(Shape("relu", (rows, columns, filters), {}))
        size = (rows // 2, columns // 2, filters)
        shapes.append(Shape("maxpool2d", size, {"pool_height": 2, "pool_width": 2}))
    shapes.append(Shape("reshape", (math.prod(size),), {}))
    widths = re.findall(r",\s*(?:FC\s*)?(\d+)\b(?!@)", text[kernels[-1].end() :])
    return [*shapes, *(Shape("dense", (int(n),), {}) for n in widths)]


def _keras(model: dict) -> list[Shape]:
    """The layers of a Keras model's JSON: convolutions, pooling, dense; batch norms are fused into what is before them."""
    shapes: list[Shape] = []
    for entry in model["config"]["layers"]:
        kind, config = entry["class_name"], entry["config"]
        if not shapes:
            shapes.append(Shape("input", tuple((config.get("batch_input_shape") or config["batch_shape"])[1:]), {}))
        size = shapes[-1].size
        if kind == "Conv2D":
            k = config["kernel_size"][0]
            pad = (k - 1) // 2 if config["padding"] == "same" else 0
            sides = dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), pad)
            rows, columns = (n + 2 * pad - k + 1 for n in size[:2])
            shapes.append(Shape("conv2d", (rows, columns, config["filters"]), {"filt_height": k, "filt_width": k, **sides}))
        elif kind == "MaxPooling2D":
            p = config["pool_size"][0]
            shapes.append(Shape("maxpool2d", (size[0] // p, size[1] // p, size[2]), {"pool_height": p, "pool_width": p}))
        elif kind in ("ReLU", "LeakyReLU", "Activation"):
            shapes.append(Shape("relu", size, {}))
        elif kind == "Flatten":
            shapes.append(Shape("reshape", (math.prod(size),), {}))
        elif kind == "Dense":
            shapes.append(Shape("dense", (config["units"],), {}))
        elif kind not in ("InputLayer", "BatchNormalization"):
            raise UsageError(f"layer {kind} of a model file is not known here")
    return shapes
