"""A model file that anybody has saved, or a project of hls4ml's, to the `Network` that hls4ml would build of it."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dse.design import Hardware
from dse.errors import StageFailed, UsageError
from dse.network import Network
from dse.nn import extract, saved
from dse.nn.convert import BACKEND

SUFFIXES = saved.SUFFIXES
#: The file in which hls4ml keeps a project's settings, and how it calls the knobs of a layer.
SETTINGS = "hls4ml_config.yml"
LAYER_KNOBS = {"reuse_factor": "ReuseFactor", "strategy": "Strategy"}


def read(path: Path, hardware: Hardware, part: str, clock_ns: float) -> Network:
    """The network of a Keras or QKeras model file, with hls4ml's own precisions where the model has no quantisers.

    Models of Keras 2 (tf_keras, QKeras) and of Keras 3 are told apart by the version that the file states. Bit-exact types are
    used where hls4ml can infer them, its default precision otherwise. UsageError where the file is no model, StageFailed
    ("unsupported") where hls4ml refuses it.
    """
    found, told = saved.look(path), io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()), found.front():
        return _network(found.load(), (hardware, part, clock_ns), told)


def read_project(folder: Path, changes: Mapping[str, Any]) -> Network:
    """The network of a project that hls4ml has written of a Keras model, by the settings that it keeps beside it.

    `changes` may set "part", "clock_ns", "io_type", and for every layer "reuse_factor" and "strategy". UsageError where the
    project's settings or model cannot be read, StageFailed ("unsupported") where hls4ml refuses it.
    """
    settings = _settings(folder / SETTINGS)
    kept = Path(str(settings.get("KerasModel") or settings.get("KerasH5") or ""))
    beside = folder / kept.name
    found = saved.look(kept if kept.is_file() and not beside.is_file() else beside)
    told = io.StringIO()
    config = settings["HLSConfig"]
    for row in (config["Model"], *config.get("LayerName", {}).values()):
        row |= {name: changes[knob] for knob, name in LAYER_KNOBS.items() if knob in changes}
    target = {
        "backend": settings["Backend"],
        "io_type": changes.get("io_type", settings["IOType"]),
        "part": changes.get("part", settings["Part"]),
        "clock_period": changes.get("clock_ns", settings["ClockPeriod"]),
    }
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()), found.front():
        return _converted(found.load(), config, target, told, (config["Model"].get("BitExact"),))


def _settings(path: Path) -> dict[str, Any]:
    """What hls4ml has written into a project; UsageError where something is missing."""
    import yaml

    try:
        # the tag would have hls4ml's own loader open the model's file; here it stands for the file's name
        found = yaml.safe_load(path.read_text().replace("!keras_model ", ""))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: no settings of hls4ml ({error}).") from error
    needed = ("Backend", "IOType", "Part", "ClockPeriod", "HLSConfig")
    lacking = [name for name in needed if not (isinstance(found, dict) and found.get(name))]
    if not lacking and not any(name in found for name in ("KerasModel", "KerasH5")):
        lacking = ["KerasModel"]
    if lacking:
        raise UsageError(f"{path}: no {', '.join(lacking)}; a project that hls4ml has written of a Keras model has them.")
    return dict(found)


def _network(model: Any, target: tuple[Hardware, str, float], told: io.StringIO) -> Network:
    hardware, part, clock_ns = target
    import hls4ml

    try:
        config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend=BACKEND)
    except Exception as error:
        raise _refused(error, told) from error
    for row in (config["Model"], *config["LayerName"].values()):
        row["ReuseFactor"] = int(hardware.reuse_factor.of(""))
        row["Strategy"] = str(hardware.strategy.of(""))
    settings = {"backend": BACKEND, "io_type": hardware.io_type, "part": part, "clock_period": clock_ns}
    # no quantiser at the input, or a layer without exact types: hls4ml's default precision
    return _converted(model, config, settings, told, (True, False))


def _converted(
    model: Any, config: dict[str, Any], settings: Mapping[str, Any], told: io.StringIO, exact: Sequence[bool | None]
) -> Network:
    """What hls4ml makes of the model; with the first of the values of `bit_exact` that it accepts."""
    import hls4ml

    with tempfile.TemporaryDirectory() as folder:
        for last, bit_exact in enumerate(exact, start=1):
            try:
                built = hls4ml.converters.convert_from_keras_model(
                    model, hls_config=config, bit_exact=bit_exact, output_dir=folder, **settings
                )
            except Exception as error:
                if last == len(exact):
                    raise _refused(error, told) from error
            else:
                return extract.extract(built)
    raise AssertionError("no value of bit_exact")


def _refused(error: Exception, told: io.StringIO) -> StageFailed:
    return StageFailed("unsupported", f"hls4ml: {type(error).__name__}: {error}", told.getvalue())
