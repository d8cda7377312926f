"""Pruning and quantisation-aware fine-tuning from the float model's weights: many networks at once, or one by one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dse import legacy_keras  # noqa: F401 - before tensorflow
from dse.design import TERNARY, Compression, Design, Scalar
from dse.errors import StageFailed
from dse.fixed import TERNARY_WEIGHTS, Quantizer, fit_quantizer
from dse.nn import graph, population, train
from dse.workload import Split, Training, Workload

STAGE = "compress"
VERSION = 1
#: Share of the fine-tuning epochs after which the final sparsity is reached.
PRUNING_ENDS = 0.6
#: Training rows whose activations are looked at to choose integer bits.
SAMPLE_ROWS = 2048
#: Of the biases of layers with ternary weights.
TERNARY_BIAS_BITS = 8
QUANTIZERS_FILE = "quantizers.json"

Architecture = tuple[tuple[str, Scalar], ...]


def causes(workload: Workload, design: Design, base_key: str) -> dict[str, Any]:
    """All that the compressed weights depend on; also whether they are trained together with others: sums round otherwise."""
    how = {} if apart(workload, design.architecture) else {"population": population.VERSION}
    return how | {
        "version": VERSION,
        "libraries": train.versions("tensorflow", "tf_keras", "qkeras", "tensorflow-model-optimization", "numpy"),
        "base": base_key,
        "compression": design.as_json()["compression"],
        "training": {name: value for name, value in workload.training.as_json().items() if name != "together"},
    }


@lru_cache(maxsize=64)
def apart(workload: Workload, architecture: Architecture) -> str:
    """Why networks of this architecture are trained one by one; "" where they are trained together."""
    if not workload.training.together:
        return "the study's training says together=False"
    return population.reason(graph.nodes(train.build(workload, architecture)))


class Base:
    """The trained float network of one architecture, with all that its compressions begin from."""

    def __init__(self, workload: Workload, architecture: Architecture, folder: Path) -> None:
        self.workload, self.data = workload, train.load_split(workload)
        self.model = train.build(workload, architecture)
        for name, arrays in train.load_weights(folder / "weights.npz").items():
            self.model.get_layer(name).set_weights(arrays)
        self.nodes = graph.nodes(self.model)
        self.arrays = {node.name: node.weights() for node in self.nodes if node.weighted}
        rows = self.data.train.x[:SAMPLE_ROWS]
        self._values = {graph.INPUT_QUANTIZER: rows, **graph.float_activations(self.model, self.nodes, rows)}
        self._fitted: dict[tuple[str, int, int], Quantizer] = {}

    def _fit(self, name: str, number: int, values: np.ndarray, bits: int, *, signed: bool = True) -> Quantizer:
        """The quantiser of this width for a layer's array `number`, or -1 for its output; looked for once."""
        if (name, number, bits) not in self._fitted:
            self._fitted[name, number, bits] = fit_quantizer(values, bits, signed=signed)
        return self._fitted[name, number, bits]

    def quantizers(self, knobs: Compression) -> graph.Quantizers:
        """Quantisers of the asked widths, their integer bits fitted to the float weights and activations."""
        weights, biases, activations = {}, {}, {}
        for name, values in self._values.items():
            inward = name == graph.INPUT_QUANTIZER
            bits = knobs.input_bits if inward else knobs.activation_bits.number(name)
            activations[name] = self._fit(name, -1, values, bits, signed=inward)
        for name, arrays in self.arrays.items():
            ternary = knobs.weight_bits.of(name) == TERNARY
            bits = TERNARY_BIAS_BITS if ternary else knobs.weight_bits.number(name)
            weights[name] = TERNARY_WEIGHTS if ternary else self._fit(name, 0, arrays[0], bits)
            if len(arrays) > 1:
                biases[name] = self._fit(name, 1, arrays[1], bits)
        return graph.Quantizers(weights, biases, activations)


def _pruning(data: Split, training: Training) -> population.Pruning:
    """The polynomial schedule of tfmot for these epochs of these rows."""
    steps = -(-len(data.train.y) // training.batch_size)
    end = max(1, round(PRUNING_ENDS * training.fine_tune_epochs * steps))
    return population.Pruning(end, max(1, min(steps, end // 4)))


class Compressed(NamedTuple):
    """A fine-tuned network: its weighted layers' arrays and its quantisers.

    `lost`: why it is worth nothing, or ""; `seconds`: its share of the time that its batch has taken.
    """

    arrays: Mapping[str, Sequence[np.ndarray]]
    quantizers: graph.Quantizers
    lost: str = ""
    seconds: float = 0.0

    def leave(self, folder: Path) -> Mapping[str, Any]:
        """Write `weights.npz` and the quantisers; returns what the entry says. StageFailed("invalid") where it is lost.

        The same causes lose it again: that is the design's fault, as in `train.fit`, and not the machine's.
        """
        if self.lost:
            raise StageFailed("invalid", self.lost)
        train.save_weights(folder / "weights.npz", self.arrays)
        (folder / QUANTIZERS_FILE).write_text(json.dumps(self.quantizers.as_json()))
        zeros = {name: float(np.mean(arrays[0] == 0)) for name, arrays in self.arrays.items()}
        return {"quantizers": self.quantizers.as_json(), "sparsity": zeros}


def compress(workload: Workload, design: Design, base_folder: Path, folder: Path) -> Mapping[str, Any]:
    """Fine-tune the quantised, pruned network and leave `weights.npz`; returns its quantisers and the sparsity reached."""
    base = Base(workload, design.architecture, base_folder)
    if apart(workload, design.architecture):
        return _alone(base, _knobs(design)).leave(folder)
    return next(together(base, [design]))[0].leave(folder)


def _knobs(design: Design) -> Compression:
    assert design.compression is not None, "designs of trained networks have it"
    return design.compression


def _tuned(training: Training, knobs: Compression) -> Training:
    """The training of a design's fine-tuning."""
    return training if knobs.learning_rate is None else replace(training, learning_rate=knobs.learning_rate)


def together(base: Base, designs: Sequence[Design]) -> Iterator[list[Compressed]]:
    """Fine-tune the networks of many designs of one architecture, as many at once as fit; yields batch by batch.

    What becomes of one does not depend on which others there are.
    """
    training, topology = base.workload.training, population.topology(base.nodes)
    members = [
        population.Member(
            base.arrays,
            base.quantizers(one),
            {name: float(one.sparsity.of(name)) for name in base.arrays},
            _tuned(training, one).learning_rate,
        )
        for one in map(_knobs, designs)
    ]
    start = time.monotonic()
    for batch in population.train(topology, members, base.data, training, _pruning(base.data, training)):
        share = (time.monotonic() - start) / len(batch)
        yield [Compressed(one.arrays, one.member.quantizers, _lost(one.lost, training), share) for one in batch]
        start = time.monotonic()


def _lost(epoch: int | None, training: Training) -> str:
    if epoch is None:
        return ""
    return f"the loss was no longer a number in epoch {epoch} of {training.fine_tune_epochs}. Try a smaller learning rate."


def _alone(base: Base, knobs: Compression) -> Compressed:
    """Fine-tune one network with QKeras and tfmot."""
    import tf_keras
    from tensorflow_model_optimization.python.core.sparsity.keras import prune, pruning_callbacks, pruning_schedule

    training, pruning, quantizers = base.workload.training, _pruning(base.data, base.workload.training), base.quantizers(knobs)

    def wrap(layer: Any) -> Any:
        sparsity = float(knobs.sparsity.of(layer.name))
        if sparsity == 0:
            return layer
        schedule = pruning_schedule.PolynomialDecay(0.0, sparsity, 0, pruning.end, frequency=pruning.every)
        return prune.prune_low_magnitude(layer, pruning_schedule=schedule)

    tf_keras.utils.set_random_seed(training.seed)
    model = graph.quantised(base.nodes, quantizers, wrap)
    inner = {layer.name: layer for layer in (getattr(wrapped, "layer", wrapped) for wrapped in model.layers)}
    for name, arrays in base.arrays.items():
        inner[name].set_weights(arrays)
    callbacks = [pruning_callbacks.UpdatePruningStep()] if any(s != 0 for s in knobs.sparsity.values) else []
    train.fit(model, base.data, _tuned(training, knobs), training.fine_tune_epochs, callbacks)
    return Compressed({name: inner[name].get_weights() for name in base.arrays}, quantizers)


def load_model(workload: Workload, design: Design, folder: Path) -> Any:
    """The fine-tuned QKeras model of a `compress` entry's folder; built once in a row of designs that share it."""
    return _model(workload, design.architecture, folder)


@lru_cache(maxsize=2)
def _model(workload: Workload, architecture: Architecture, folder: Path) -> Any:
    base = train.build(workload, architecture)
    quantizers = graph.Quantizers.from_json(json.loads((folder / QUANTIZERS_FILE).read_text()))
    model = graph.quantised(graph.nodes(base), quantizers)
    for name, arrays in train.load_weights(folder / "weights.npz").items():
        model.get_layer(name).set_weights(arrays)
    return model
