"""Model files: which Keras wrote them, and the model in them.

Keras 3 and tf_keras (Keras 2, QKeras) read none of each other's files. Both may be used in one process, one after the other, as
long as hls4ml finds under the name `keras` the one that the model is of.
"""

from __future__ import annotations

import hashlib
import json
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse import legacy_keras
from dse.errors import UsageError

SUFFIXES = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class Saved:
    """A model file, and the version of Keras that wrote it."""

    path: Path
    version: str

    @property
    def newest(self) -> bool:
        """It is of Keras 3."""
        return self.version.startswith("3.")

    @contextmanager
    def front(self) -> Iterator[None]:
        """Let hls4ml see the Keras that the model is of."""
        if not self.newest:
            with legacy_keras.keras_is_tf_keras():
                yield
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield

    @property
    def keras(self) -> Any:
        """The library that the model is of."""
        if self.newest:
            import keras

            return keras
        import tf_keras

        return tf_keras

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def load(self) -> Any:
        """The model; UsageError where its Keras cannot load it."""
        return _load3(self.path) if self.newest else _load2(self.path)


def look(path: Path) -> Saved:
    """The file and who wrote it; UsageError where it is no model."""
    if not path.exists():
        raise UsageError(f"{path}: no such file.")
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: a model ends in {', '.join(SUFFIXES)}.")
    return Saved(path, _keras_version(path))


def _keras_version(path: Path) -> str:
    """The version of Keras that wrote the file."""
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                return str(json.loads(archive.read("metadata.json"))["keras_version"])
        import h5py

        with h5py.File(path) as file:
            stated = file.attrs.get("keras_version")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UsageError(
            f"{path}: not a readable Keras model ({error}). Save it with model.save({path.stem!r} + '.h5')."
        ) from error
    if stated is None:
        raise UsageError(f"{path}: no Keras version inside; weights alone are no model. Save it with model.save(...).")
    return stated.decode() if isinstance(stated, bytes) else str(stated)


def _load2(path: Path) -> Any:
    legacy_keras.import_tensorflow()
    import tf_keras
    from qkeras.utils import _add_supported_quantized_objects
    from tensorflow_model_optimization.python.core.sparsity.keras import prune, pruning_wrapper

    known: dict[str, Any] = {"PruneLowMagnitude": pruning_wrapper.PruneLowMagnitude}
    _add_supported_quantized_objects(known)
    try:
        model = tf_keras.models.load_model(path, custom_objects=known, compile=False)
    except Exception as error:  # Keras raises whatever the file makes it stumble over
        raise UsageError(
            f"{path}: tf_keras cannot load it ({type(error).__name__}: {error}). A QKeras model loads from .h5."
        ) from error
    return prune.strip_pruning(model)


def _load3(path: Path) -> Any:
    legacy_keras.import_tensorflow()
    import keras

    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise UsageError(f"{path}: Keras {keras.__version__} cannot load it ({type(error).__name__}: {error}).") from error
