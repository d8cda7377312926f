"""The float model of one architecture, trained once."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dse import (
    legacy_keras,  # noqa: F401 - before tensorflow
    scores,
)
from dse.design import Scalar
from dse.errors import DseError, StageFailed
from dse.workload import Problem, Split, Training, Workload, split

_MEANT = {"classification": "logits, one per class", "regression": "outputs, one per column of y"}
STAGE = "train"
VERSION = 1


def versions(*names: str) -> dict[str, str]:
    """Versions of the libraries that a stage uses, by distribution name."""
    return {name: _version(name) for name in names}


@cache
def _version(name: str) -> str:
    """Looked up once per process: each look parses the distribution's metadata, which took a seventh of a scored design."""
    return importlib.metadata.version(name)


def versions_if_present(*names: str) -> dict[str, str]:
    """The same for libraries that may be missing: "absent"."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found |= versions(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


@lru_cache(maxsize=4)
def load_split(workload: Problem) -> Split:
    """The workload's data, loaded and split once per process; DseError where the user's function fails."""
    try:
        data = workload.data()
    except (DseError, MemoryError):
        raise
    except Exception as error:
        raise DseError(f"the study's data function raised {type(error).__name__}: {error}") from error
    return split(data, workload.split_seed)


def build(workload: Workload, architecture: tuple[tuple[str, Scalar], ...]) -> Any:
    """The study's untrained `tf_keras` model; DseError where its function fails or returns something else."""
    import tf_keras

    tf_keras.backend.clear_session()
    tf_keras.utils.set_random_seed(workload.training.seed)
    try:
        model = workload.model(**dict(architecture))
    except MemoryError:
        raise
    except Exception as error:
        raise DseError(f"the study's model function raised {type(error).__name__}: {error}") from error
    if not isinstance(model, tf_keras.Model):
        kind = type(model)
        raise DseError(f"the study's model function must return a tf_keras model, got {kind.__module__}.{kind.__qualname__}.")
    data = load_split(workload)
    if len(model.inputs) != 1 or len(model.outputs) != 1 or tuple(model.output_shape[1:]) not in {(n,) for n in data.outputs}:
        shown = [tuple(tensor.shape[1:]) for tensor in model.outputs]
        wanted = f"{' or '.join(map(str, data.outputs))} {_MEANT[data.task]}"
        raise DseError(f"the model must have one input and {wanted}; its outputs have shapes {shown}.")
    shape = tuple(model.input_shape[1:])
    rows = data.train.x.shape[1:]
    if shape != rows:
        raise DseError(f"the model takes inputs of shape {shape}, the data has rows of shape {rows}. Make them agree.")
    return model


@lru_cache(maxsize=64)
def config(workload: Workload, architecture: tuple[tuple[str, Scalar], ...]) -> str:
    """The built model's configuration and initial weights as JSON: what the key hangs on, and no comment in the study."""
    model = build(workload, architecture)
    initial = hashlib.sha256()
    for array in model.get_weights():
        initial.update(array.tobytes())
    return json.dumps([model.get_config(), initial.hexdigest()], sort_keys=True, default=str)


def causes(workload: Workload, architecture: tuple[tuple[str, Scalar], ...]) -> dict[str, Any]:
    """All that the float weights depend on."""
    training = workload.training
    return {
        "version": VERSION,
        "libraries": versions("tensorflow", "tf_keras", "numpy"),
        "model": config(workload, architecture),
        "data": load_split(workload).fingerprint,
        "optimizer": "adam",
        "training": {k: v for k, v in training.as_json().items() if k not in ("fine_tune_epochs", "together")},
    }


def fit(model: Any, data: Split, training: Training, epochs: int, callbacks: list[Any]) -> None:
    """Train in place on the training rows; StageFailed("invalid") where the loss is no longer a number."""
    import tf_keras

    if epochs == 0:  # which Keras refuses
        return
    rows = data.train
    weights = scores.row_weights(training, rows.y, data.classes)
    model.compile(tf_keras.optimizers.Adam(training.learning_rate), objective(data.task, int(model.output_shape[1])))
    history = model.fit(
        rows.x,
        rows.y,
        sample_weight=weights,
        epochs=epochs,
        batch_size=training.batch_size,
        verbose=0,
        callbacks=callbacks,
    )
    losses = history.history.get("loss", [])
    for epoch, loss in enumerate(losses, 1):
        if not np.isfinite(loss):
            raise StageFailed("invalid", f"the loss became {loss} in epoch {epoch} of {epochs}. Try a smaller learning rate.")


def objective(task: str, n_out: int) -> Any:
    """What is made small: cross entropy on logits, of a single logit (n, 1) the binary one; a regression's squared error."""
    from tf_keras import losses

    if task == "regression":
        return losses.MeanSquaredError()
    return losses.BinaryCrossentropy(from_logits=True) if n_out == 1 else losses.SparseCategoricalCrossentropy(from_logits=True)


def outputs(model: Any, x: np.ndarray) -> np.ndarray:
    """The model's outputs (n, n_out) as float64; rows in batches of 4096."""
    found = [np.asarray(model(x[i : i + 4096], training=False), dtype=np.float64) for i in range(0, len(x), 4096)]
    return np.concatenate(found)


def save_weights(path: Path, weights: Mapping[str, Sequence[np.ndarray]]) -> None:
    """Write each layer's weights as `layer/0`, `layer/1`, ... in the order of its `get_weights()`."""
    arrays = {f"{name}/{i}": w for name, found in weights.items() for i, w in enumerate(found)}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_weights(path: Path) -> dict[str, list[np.ndarray]]:
    """What `save_weights` has written, by layer."""
    found: dict[str, list[np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as file:
        for name in sorted(file.files, key=lambda n: (n.rpartition("/")[0], int(n.rpartition("/")[2]))):
            found.setdefault(name.rpartition("/")[0], []).append(file[name])
    return found


def train(workload: Workload, architecture: tuple[tuple[str, Scalar], ...], folder: Path) -> Mapping[str, Any]:
    """Train the float model and leave `weights.npz`; returns its scores on the validation rows."""
    data = load_split(workload)
    model = build(workload, architecture)
    fit(model, data, workload.training, workload.training.epochs, [])
    save_weights(folder / "weights.npz", {layer.name: layer.get_weights() for layer in model.layers})
    found = scores.measure(outputs(model, data.validation.x), data.validation.y, data.task)
    return {name if name.endswith("_n") else f"{name}_float": value for name, value in found.items()}
