"""Pruning (tfmot) and quantisation-aware fine-tuning (QKeras), from the float model's weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dse import legacy_keras  # noqa: F401 - before tensorflow
from dse.design import Compression, Design, Scalar
from dse.fixed import fit_quantizer
from dse.nn import graph, train
from dse.workload import Split, Training, Workload

STAGE = "compress"
VERSION = 1
#: Share of the fine-tuning epochs after which the final sparsity is reached.
PRUNING_ENDS = 0.6
#: Training rows whose activations are looked at to choose integer bits.
SAMPLE_ROWS = 2048
QUANTIZERS_FILE = "quantizers.json"


def causes(workload: Workload, design: Design, base_key: str) -> dict[str, Any]:
    """All that the compressed weights depend on."""
    return {
        "version": VERSION,
        "libraries": train.versions("tensorflow", "tf_keras", "qkeras", "tensorflow-model-optimization", "numpy"),
        "base": base_key,
        "compression": design.as_json()["compression"],
        "training": workload.training.as_json(),
    }


def _quantizers(base: Any, nodes: tuple[graph.Node, ...], knobs: Compression, rows: np.ndarray) -> graph.Quantizers:
    """Quantisers of the asked widths, their integer bits fitted to the float weights and activations."""
    weights, biases, activations = {}, {}, {graph.INPUT_QUANTIZER: fit_quantizer(rows, knobs.input_bits, signed=True)}
    for name, values in graph.float_activations(base, nodes, rows).items():
        activations[name] = fit_quantizer(values, knobs.activation_bits.number(name), signed=False)
    for node in nodes:
        if node.weighted:
            arrays = node.weights()
            bits = knobs.weight_bits.number(node.name)
            weights[node.name] = fit_quantizer(arrays[0], bits, signed=True)
            if node.use_bias:
                biases[node.name] = fit_quantizer(arrays[1], bits, signed=True)
    return graph.Quantizers(weights, biases, activations)


def _pruned(knobs: Compression, data: Split, training: Training) -> Any:
    """A wrapper for layers: tfmot's polynomial schedule from 0 to each layer's sparsity."""
    from tensorflow_model_optimization.python.core.sparsity.keras import prune, pruning_schedule

    steps = -(-len(data.train.y) // training.batch_size)
    end = max(1, round(PRUNING_ENDS * training.fine_tune_epochs * steps))

    def wrap(layer: Any) -> Any:
        sparsity = float(knobs.sparsity.of(layer.name))
        if sparsity == 0:
            return layer
        schedule = pruning_schedule.PolynomialDecay(0.0, sparsity, 0, end, frequency=max(1, min(steps, end // 4)))
        return prune.prune_low_magnitude(layer, pruning_schedule=schedule)

    return wrap


def compress(workload: Workload, design: Design, base_folder: Path, folder: Path) -> Mapping[str, Any]:
    """Fine-tune the quantised, pruned network and leave `weights.npz`; returns its quantisers and the sparsity reached."""
    import tf_keras
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_callbacks

    data, knobs, training = train.load_split(workload), design.compression, workload.training
    assert knobs is not None
    base = train.build(workload, design.architecture)
    for name, arrays in train.load_weights(base_folder / "weights.npz").items():
        base.get_layer(name).set_weights(arrays)
    nodes = graph.nodes(base)
    quantizers = _quantizers(base, nodes, knobs, data.train.x[:SAMPLE_ROWS])
    tf_keras.utils.set_random_seed(training.seed)
    model = graph.quantised(nodes, quantizers, _pruned(knobs, data, training))
    inner = {layer.name: layer for layer in (getattr(wrapped, "layer", wrapped) for wrapped in model.layers)}
    for node in nodes:
        if node.weighted:
            inner[node.name].set_weights(node.weights())
    callbacks = [pruning_callbacks.UpdatePruningStep()] if any(s != 0 for s in knobs.sparsity.values) else []
    if training.fine_tune_epochs > 0:
        train.fit(model, data, training, training.fine_tune_epochs, callbacks)
    trained = [inner[node.name] for node in nodes if node.weighted]
    train.save_weights(folder / "weights.npz", trained)
    zeros = {layer.name: float(np.mean(layer.get_weights()[0] == 0)) for layer in trained}
    (folder / QUANTIZERS_FILE).write_text(json.dumps(quantizers.as_json()))
    return {"quantizers": quantizers.as_json(), "sparsity": zeros}


def load_model(workload: Workload, design: Design, folder: Path) -> Any:
    """The fine-tuned QKeras model of a `compress` entry's folder; built once in a row of designs that share it."""
    return _model(workload, design.architecture, folder)


@lru_cache(maxsize=2)
def _model(workload: Workload, architecture: tuple[tuple[str, Scalar], ...], folder: Path) -> Any:
    base = train.build(workload, architecture)
    quantizers = graph.Quantizers.from_json(json.loads((folder / QUANTIZERS_FILE).read_text()))
    model = graph.quantised(graph.nodes(base), quantizers)
    for name, arrays in train.load_weights(folder / "weights.npz").items():
        model.get_layer(name).set_weights(arrays)
    return model
