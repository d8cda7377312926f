"""Conifer's C++ compiled as it stands, with a loop over rows, and its float64 reference."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dse.bdt.convert import INPUT, PROJECT, TREES, ensemble_of
from dse.compiler import COMPILER, FLAGS, compile_unit, compiler_version, digest, precompiled
from dse.errors import DseError
from dse.fixed import quantise
from dse.network import Network
from dse.nn import emulate

VERSION = 1
#: How to compile an emulation again by hand.
REPEAT = """#!/bin/sh
# usage: run.sh PROJECT   (the `project` folder of the design's `convert` entry; `dse show` names it)
set -e
here=$(cd "$(dirname "$0")" && pwd)
{compiler} {flags} -I"{types}" -I"$1/firmware" -shared "$here/unit.cpp" -o "$here/emulation.so"
"""
UNIT = f"""#include "{PROJECT}.cpp"
extern "C" void dse_emulate(const char *, double *x, double *y, long rows, long n_in, long n_out) {{
    for (long row = 0; row < rows; ++row) {{
        input_arr_t in;
        score_arr_t out;
        for (long i = 0; i < n_in; ++i)
            in[i] = x[row * n_in + i];
        {PROJECT}(in, out);
        for (long i = 0; i < n_out; ++i)
            y[row * n_out + i] = out[i].to_double();
    }}
}}
"""


def causes(network: Network, fingerprint: str) -> dict[str, Any]:
    """All that the outputs depend on."""
    return {
        "version": VERSION,
        "conifer": network.hls4ml_version,
        "types": emulate.templates(),
        "compiler": compiler_version(),
        "network": network.digest,
        "data": fingerprint,
    }


def run(network: Network, project: Path, rows: Mapping[str, np.ndarray], libraries: Path, folder: Path) -> dict[str, Any]:
    """Compile the project and run it on each named set of rows (n, features); like `dse.nn.emulate.emulate`."""
    library = build(project, libraries, folder / "compile.log")
    kind = network.layer(INPUT).result_type
    outputs, agreement = {}, {}
    for name, x in rows.items():
        seen = quantise(x, kind)
        outputs[name] = emulate.predict(library, network, project, seen)
        np.save(folder / f"inputs-{name}.npy", emulate.kept(seen.astype(np.float32)), allow_pickle=False)
        agreement[name] = float(np.mean(np.all(outputs[name] == reference(network, x), axis=1)))
    with (folder / "outputs.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, **outputs)
    return {"agreement": agreement, "built": network.digest, "library": library.name}


def reference(network: Network, x: np.ndarray) -> np.ndarray:
    """What the quantised ensemble says of rows, in float64: inputs are rounded and cut off as the input's type has it."""
    scores = ensemble_of(network).scores(quantise(x, network.layer(INPUT).result_type))
    return quantise(scores, network.layer(TREES).result_type)


def types() -> Path:
    """The folder of `ap_fixed.h` that hls4ml ships; DseError where it is not there."""
    spec = importlib.util.find_spec("hls4ml")
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        found = Path(place) / "templates/vivado/ap_types"
        if (found / "ap_fixed.h").exists():
            return found
    raise DseError("hls4ml's ap_fixed.h is not where version 1.3 has it, in templates/vivado/ap_types. Install hls4ml==1.3.0.")


def build(project: Path, libraries: Path, log: Path) -> Path:
    """The compiled library of a project: from `libraries` where the same sources were compiled before."""
    firmware, known = project / "firmware", digest(types())
    total = hashlib.sha256(f"{VERSION} {compiler_version()} {emulate.LEVEL} {FLAGS} {known} {UNIT}".encode())
    for source in sorted(firmware.glob("*.[ch]*")):
        total.update(source.name.encode() + source.read_bytes())
    home = libraries / f"{total.hexdigest()}.so"
    if not home.exists():
        begin = precompiled('#include "ap_fixed.h"', types(), (), libraries, (emulate.LEVEL, known))
        unit = log.with_name("unit.cpp")
        unit.write_text(UNIT)
        flags = " ".join((emulate.LEVEL, *FLAGS))
        log.with_name("run.sh").write_text(REPEAT.format(compiler=COMPILER, flags=flags, types=types()))
        made = home.with_suffix(f".{os.getpid()}")
        compile_unit([*begin, f"-I{firmware}", "-shared", str(unit), "-o", str(made)], log)
        made.replace(home)
    return home
