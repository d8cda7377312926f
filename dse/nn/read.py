"""A model file that anybody has saved, to the `Network` that hls4ml would build of it."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

from dse.design import Hardware
from dse.errors import StageFailed
from dse.network import Network
from dse.nn import extract, saved
from dse.nn.convert import BACKEND

SUFFIXES = saved.SUFFIXES


def read(path: Path, hardware: Hardware, part: str, clock_ns: float) -> Network:
    """The network of a Keras or QKeras model file, with hls4ml's own precisions where the model has no quantisers.

    Models of Keras 2 (tf_keras, QKeras) and of Keras 3 are told apart by the version that the file states. Bit-exact types are
    used where hls4ml can infer them, its default precision otherwise. UsageError where the file is no model, StageFailed
    ("unsupported") where hls4ml refuses it.
    """
    found, told = saved.look(path), io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()), found.front():
        return _network(found.load(), (hardware, part, clock_ns), told)


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
