"""hls4ml's bit-accurate C++ emulation, compiled fast and run in batches.

The generated sources are compiled as they stand, in one translation unit with a loop over rows, from a precompiled header of
hls4ml's own headers, and with -O1: same results as hls4ml's own library (a test compares them), in less than half the time.
Weights are read at run time, so a library depends on the generated sources alone and is kept for the next that are equal.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dse import shell
from dse.errors import StageFailed
from dse.network import Network
from dse.nn.reference import reference
from dse.symptoms import diagnose

STAGE = "emulate"
VERSION = 2
COMPILER = "g++"
FLAGS = ("-O1", "-fPIC", "-std=c++17", "-fno-gnu-unique", "-w")
#: Rows of each set that are kept with their outputs: the test bench of a co-simulation.
BENCH_ROWS = 100
#: A compilation that takes longer is a hang.
TIMEOUT_S = 1800.0
#: How to compile an emulation again by hand; shell's own record of the call names folders that are gone by then.
REPEAT = """#!/bin/sh
# usage: run.sh PROJECT   (the `project` folder of the design's `convert` entry; `dse show` names it)
set -e
here=$(cd "$(dirname "$0")" && pwd)
{compiler} {flags} -I"$1/firmware/ap_types" -I"$1/firmware" -I"$1" -DWEIGHTS_DIR=dse_weights \\
    -include "$here/weights.h" -shared "$here/unit.cpp" -o "$here/emulation.so"
"""
#: Headers of hls4ml that generated code includes; generated ones are left out of the precompiled header.
GENERATED = ("nnet_code_gen.h",)


def compiler() -> Path:
    """The C++ compiler; ToolNotFound says how to get it."""
    return shell.find(COMPILER, "DSE_CXX", "Install it (Debian/Ubuntu: apt-get install g++)")


def compiler_version() -> str:
    """Its version, such as 12.2.0."""
    return shell.version([str(compiler()), "-dumpfullversion"], r"(\d+\.\d+\S*)")


def causes(network: Network, fingerprint: str, *, shared: bool) -> dict[str, Any]:
    """All that the outputs depend on; `shared`: whatever the hardware knobs are, as `shareable` allows."""
    return {
        "version": VERSION,
        "hls4ml": network.hls4ml_version,
        "templates": templates(),
        "compiler": compiler_version(),
        "network": network.function_digest if shared else network.digest,
        "data": fingerprint,
    }


@cache
def templates() -> str:
    """A digest of hls4ml's C++ sources, which people patch without changing its version."""
    spec = importlib.util.find_spec("hls4ml")
    total = hashlib.sha256()
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        for path in sorted(Path(place).glob("templates/vi*/nnet_utils/*.h")):
            total.update(path.read_bytes())
    return total.hexdigest()[:16]


def shareable(network: Network) -> bool:
    """True where hls4ml computes the same for every reuse factor, strategy and IO type of these layers.

    Measured on compiled variants: dense always; convolutions with io_stream, with the latency strategy, or with a reuse
    factor up to kernel_h * kernel_w * n_chan. Everything else is emulated as it stands.
    """
    for layer in network.multipliers:
        free = layer.kind == "dense" or network.io_type == "io_stream" or layer.strategy == "latency"
        small = layer.reuse_factor is not None and layer.reuse_factor <= layer.n_in
        if not (free or (layer.kind in ("conv1d", "conv2d") and layer.strategy == "resource" and small)):
            return False
    return True


def emulate(
    network: Network, project: Path, rows: Mapping[str, np.ndarray], libraries: Path, folder: Path
) -> Mapping[str, Any]:
    """Compile the project and run it on each named set of rows (n, ...).

    Leaves `outputs.npz` (float64, per set), the first rows (`inputs-<set>.npy`) and the compiler's log; returns per set the
    share of rows on which the outputs equal the float64 reference. StageFailed("tool") where generated code does not compile.
    """
    library = build(project, libraries, folder / "compile.log")
    try:
        outputs = {name: predict(library, network, project, x) for name, x in rows.items()}
    except OSError:  # a damaged file in the cache: a power cut, a full disk
        library.unlink(missing_ok=True)
        library = build(project, libraries, folder / "compile.log")
        outputs = {name: predict(library, network, project, x) for name, x in rows.items()}
    agreement = {}
    for name, x in rows.items():
        np.save(folder / f"inputs-{name}.npy", x[:BENCH_ROWS], allow_pickle=False)
        expected = reference(network, x).reshape(outputs[name].shape)
        agreement[name] = float(np.mean(np.all(outputs[name] == expected, axis=1)))
    with (folder / "outputs.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, **outputs)
    return {"agreement": agreement, "built": network.digest, "library": library.name}


def load_outputs(folder: Path, name: str) -> np.ndarray:
    """The emulated outputs (n, n_out) of one set of rows."""
    with np.load(folder / "outputs.npz", allow_pickle=False) as file:
        return np.asarray(file[name])


def load_bench(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The first rows of one set, flat (n, n_in), and their emulated outputs (n, n_out)."""
    inputs = np.load(folder / f"inputs-{name}.npy", allow_pickle=False)
    return inputs.reshape(len(inputs), -1), load_outputs(folder, name)[: len(inputs)]


def build(project: Path, libraries: Path, log: Path) -> Path:
    """The compiled library of a project: from `libraries` where the same sources were compiled before."""
    sources = [
        *sorted((project / "firmware").glob("*.[ch]*")),
        project / "firmware/nnet_utils/nnet_code_gen.h",
        _bridge(project),
    ]
    total = hashlib.sha256(f"{VERSION} {compiler_version()} {FLAGS} {_headers(project)}".encode())
    for source in sources:
        total.update(source.read_bytes())
    home = libraries / f"{total.hexdigest()}.so"
    if not home.exists():
        libraries.mkdir(parents=True, exist_ok=True)
        header = _precompiled(project, libraries)
        unit = log.with_name("unit.cpp")
        unit.write_text(_unit(project))
        log.with_name("weights.h").write_text("extern const char *dse_weights;\n")
        made = home.with_suffix(f".{os.getpid()}")
        _compile(["-include", str(header), "-shared", str(unit), "-o", str(made)], project, log)
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(home)
        (log.parent / "run.sh").write_text(REPEAT.format(compiler=COMPILER, flags=" ".join(FLAGS)))
    return home


def _bridge(project: Path) -> Path:
    found = sorted(project.glob("*_bridge.cpp"))
    if len(found) != 1:
        raise StageFailed("tool", f"{project}: {len(found)} files *_bridge.cpp, expected hls4ml's one.")
    return found[0]


def _unit(project: Path) -> str:
    """One translation unit: the generated network, hls4ml's bridge to doubles, and a loop over rows."""
    top = _bridge(project).name.removesuffix("_bridge.cpp")
    return f"""#include "firmware/{top}.cpp"
#include "{top}_bridge.cpp"
const char *dse_weights = "";
extern "C" void dse_emulate(const char *weights, double *x, double *y, long rows, long n_in, long n_out) {{
    dse_weights = weights;
    for (long row = 0; row < rows; ++row)
        {top}_double(x + row * n_in, y + row * n_out);
}}
"""


def _headers(project: Path) -> str:
    """A digest of hls4ml's headers as this project has them."""
    total = hashlib.sha256()
    for path in sorted((project / "firmware/nnet_utils").glob("*.h")):
        if path.name not in GENERATED:
            total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


def _precompiled(project: Path, libraries: Path) -> Path:
    """hls4ml's headers, parsed once for all projects; the place of the weights becomes a variable."""
    used = [line for line in (project / "firmware/parameters.h").read_text().splitlines() if '#include "nnet_utils/' in line]
    used = [line for line in used if not any(name in line for name in GENERATED)]
    text = "\n".join(
        [
            "extern const char *dse_weights;",
            "#define WEIGHTS_DIR dse_weights",
            *(f"#include <{name}>" for name in ("algorithm", "array", "cstddef", "iostream", "map", "sstream")),
            *(f'#include "{name}"' for name in ("ap_fixed.h", "ap_int.h", "nnet_utils/nnet_types.h")),
            *used,
        ]
    )
    digest = hashlib.sha256(f"{text}{_headers(project)}{compiler_version()}{FLAGS}".encode()).hexdigest()[:24]
    home = libraries / f"headers-{digest}"
    if not (home / "headers.h.gch").exists():
        draft = Path(tempfile.mkdtemp(dir=libraries, prefix="draft-"))
        (draft / "headers.h").write_text(text + "\n")
        _compile(
            ["-x", "c++-header", str(draft / "headers.h"), "-o", str(draft / "headers.h.gch")], project, draft / "compile.log"
        )
        try:
            draft.rename(home)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return home / "headers.h"


def _compile(arguments: list[str], project: Path, log: Path) -> None:
    include = [f"-I{project / 'firmware/ap_types'}", f"-I{project / 'firmware'}", f"-I{project}"]
    argv = [str(compiler()), *FLAGS, *include, *arguments]
    done = shell.run(argv, project, log, limits=shell.Limits(timeout_s=TIMEOUT_S))
    if done.returncode != 0:
        ended = f"refused the generated code (exit {done.returncode})"
        found = diagnose(COMPILER, log, "tool", ended)
        raise StageFailed(found.kind, found.message, shell.tail(log))


def predict(library: Path, network: Network, project: Path, x: np.ndarray) -> np.ndarray:
    """Emulated outputs (n, n_out) in float64 for rows `x` (n, ...).

    The library keeps its weights for as long as it is loaded, so each call loads a copy of its own.
    """
    n_in = int(np.prod(network.layers[0].output_shape))
    n_out = int(np.prod(network.layer(network.outputs[0]).output_shape))
    rows = np.ascontiguousarray(np.asarray(x, dtype=np.float64).reshape(len(x), n_in))
    outputs = np.empty((len(rows), n_out))
    with tempfile.TemporaryDirectory(prefix="dse-emulate-") as scratch:
        copy = Path(shutil.copy(library, Path(scratch) / f"{os.getpid()}.so"))
        call = ctypes.CDLL(str(copy)).dse_emulate
        call.restype = None
        call.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long, ctypes.c_long, ctypes.c_long]
        weights = os.fsencode((project / "firmware/weights").resolve())
        call(weights, rows.ctypes.data, outputs.ctypes.data, len(rows), n_in, n_out)
    return outputs
