"""A model file that anybody has saved, to the `Network` that hls4ml would build of it."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from dse import legacy_keras
from dse.design import Hardware
from dse.errors import StageFailed, UsageError
from dse.network import Network
from dse.nn import extract
from dse.nn.convert import BACKEND

SUFFIXES = (".keras", ".h5", ".hdf5")


def read(path: Path, hardware: Hardware, part: str, clock_ns: float) -> Network:
    """The network of a Keras or QKeras model file, with hls4ml's own precisions where the model has no quantisers.

    Models of Keras 2 (tf_keras, QKeras) and of Keras 3 are told apart by the version that the file states. Bit-exact types are
    used where hls4ml can infer them, its default precision otherwise. UsageError where the file is no model, StageFailed
    ("unsupported") where hls4ml refuses it.
    """
    version = _keras_version(path)
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()):
        if version.startswith("3."):
            return _network(_load3(path), (hardware, part, clock_ns), told)
        with legacy_keras.keras_is_tf_keras():
            return _network(_load2(path), (hardware, part, clock_ns), told)


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
    import keras

    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise UsageError(f"{path}: Keras {keras.__version__} cannot load it ({type(error).__name__}: {error}).") from error


def _network(model: Any, target: tuple[Hardware, str, float], told: io.StringIO) -> Network:
    hardware, part, clock_ns = target
    import hls4ml

    try:
        config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend=BACKEND)
        for row in config["LayerName"].values():
            row["ReuseFactor"] = int(hardware.reuse_factor.of(""))
            row["Strategy"] = str(hardware.strategy.of(""))
        config["Model"]["ReuseFactor"] = int(hardware.reuse_factor.of(""))
        config["Model"]["Strategy"] = str(hardware.strategy.of(""))
        with tempfile.TemporaryDirectory() as folder:
            settings = {
                "backend": BACKEND,
                "io_type": hardware.io_type,
                "part": part,
                "clock_period": clock_ns,
                "output_dir": folder,
            }
            try:
                built = hls4ml.converters.convert_from_keras_model(model, hls_config=config, bit_exact=True, **settings)
            except Exception:  # noqa: BLE001 - no quantiser at the input, or a layer without exact types
                built = hls4ml.converters.convert_from_keras_model(model, hls_config=config, bit_exact=False, **settings)
    except Exception as error:
        raise StageFailed("unsupported", f"hls4ml: {type(error).__name__}: {error}", told.getvalue()) from error
    return extract.extract(built)
