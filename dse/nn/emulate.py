"""hls4ml's bit-accurate C++ emulation, compiled fast and run in batches.

The generated sources are compiled in one translation unit with a loop over rows, from a precompiled header of hls4ml's own
headers: same results as hls4ml's own library (tests compare them). What makes it quick, measured for a digits MLP: a short
reader of weights instead of a template per array, and no bridge to single precision (2.4 to 1.8 s of g++); types with a
twelfth of the overloads (a third less again, see `dse.aptypes`); code that hls4ml generates line by line is not optimised (an
SVHN-size CNN with io_parallel: 34 to 11 s). Weights are read at run time, so a library depends on the generated sources alone
and is kept for the next that are equal.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dse import library as compiled
from dse.compiler import COMPILER, FLAGS, compile_unit, compiler_version, digest, precompiled
from dse.errors import StageFailed
from dse.network import Network
from dse.nn.reference import reference

STAGE = "emulate"
VERSION = 2
#: The optimisation level that takes least or nearly so for any network, compiling and running its validation rows together:
#: processor seconds of -O0, -Og, -O1 and -O2 are 4.4, 3.2, 3.2 and 4.0 for a digits MLP, 4.7, 2.7, 3.2 and 3.3 for a CNN of
#: three layers on the same 360 rows; 6.0, 3.3 and 3.9 from -Og on for 16-64-32-32-5 on 20,000 rows (machine loaded;
#: `bench/emulation.py --level`). Rows of an SVHN-size CNN take 3.7 ms, with -O2 3.4 (io_stream) or even 6.6 (io_parallel).
LEVEL = "-O1"
#: What is kept of each set of rows: the test benches of simulations, and what other computations are held against.
KEPT_BYTES = 16 * 10**6
#: How to compile an emulation again by hand; shell's own record of the call names folders that are gone by then. It takes AMD's
#: types as the project has them: the same numbers, more slowly.
REPEAT = """#!/bin/sh
# usage: run.sh PROJECT   (the `project` folder of the design's `convert` entry; `dse show` names it)
set -e
here=$(cd "$(dirname "$0")" && pwd)
{compiler} {flags} -I"$1/firmware/ap_types" -I"$1/firmware" -I"$1" -DWEIGHTS_DIR=dse_weights \\
    -include "$here/weights.h" -shared "$here/unit.cpp" -o "$here/emulation.so"
"""
#: Headers of hls4ml that generated code includes; generated ones are left out of the precompiled header.
GENERATED = ("nnet_code_gen.h",)
#: Reads a file of numbers separated by commas, as hls4ml's own reader does, which is compiled anew for each array.
READER = """
#include "ap_fixed.h"
#include "nnet_utils/nnet_helpers.h"
static void dse_read(const char *name, double *values, size_t size) {
    std::string path = std::string(dse_weights) + "/" + name;
    std::ifstream file(path.c_str(), std::ios::binary);
    size_t found = 0;
    for (double value; found < size && file >> value; file.ignore(1, ','))
        values[found++] = value;
    if (found != size) {
        std::cerr << path << ": " << found << " numbers, expected " << size << std::endl;
        exit(1);
    }
}
namespace nnet {
template <class T, size_t SIZE> void dse_weights_from_txt(T *w, const char *name) {
    static double values[SIZE];
    dse_read(name, values, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        w[i] = values[i];
}
} // namespace nnet
#define load_weights_from_txt dse_weights_from_txt
"""


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
        np.save(folder / f"inputs-{name}.npy", kept(x), allow_pickle=False)
        expected = reference(network, x).reshape(outputs[name].shape)
        agreement[name] = float(np.mean(np.all(outputs[name] == expected, axis=1)))
    with (folder / "outputs.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, **outputs)
    return {"agreement": agreement, "built": network.digest, "library": library.name}


def kept(x: np.ndarray) -> np.ndarray:
    """The first rows (n, ...), as many as are kept."""
    return x[: max(1, KEPT_BYTES * len(x) // max(x.nbytes, 1))]


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
    sources = [*sorted((project / "firmware").glob("*.[ch]*")), project / "firmware/nnet_utils/nnet_code_gen.h"]
    headers = digest(project / "firmware/nnet_utils", GENERATED) + digest(project / "firmware/ap_types")
    text = _unit(project)
    total = hashlib.sha256(f"{VERSION} {compiler_version()} {LEVEL} {FLAGS} {headers}{text}".encode())
    for source in sources:
        total.update(source.read_bytes())
    home = libraries / f"{total.hexdigest()}.so"
    if not home.exists():
        firmware = project / "firmware"
        begin = precompiled(_headers(project), firmware / "ap_types", (firmware, project), libraries, (LEVEL, headers))
        unit = log.with_name("unit.cpp")
        unit.write_text(text)
        log.with_name("weights.h").write_text("extern const char *dse_weights;\n")
        made = home.with_suffix(f".{os.getpid()}")
        compile_unit([*begin, "-shared", str(unit), "-o", str(made)], log)
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(home)
        (log.parent / "run.sh").write_text(REPEAT.format(compiler=COMPILER, flags=" ".join((LEVEL, *FLAGS))))
    return home


def _bridge(project: Path) -> Path:
    found = sorted(project.glob("*_bridge.cpp"))
    if len(found) != 1:
        raise StageFailed("tool", f"{project}: {len(found)} files *_bridge.cpp, expected hls4ml's one.")
    return found[0]


def _unit(project: Path) -> str:
    """One translation unit: the generated network, hls4ml's bridge to doubles, and a loop over rows."""
    bridge = _bridge(project)
    top = bridge.name.removesuffix("_bridge.cpp")
    wrappers = re.sub(rf"^void {re.escape(top)}_float\(.*?^}}\n", "", bridge.read_text(), flags=re.DOTALL | re.MULTILINE)
    return f"""{READER}
#include "firmware/{top}.h"
#pragma GCC push_options
#pragma GCC optimize("O0")
#include "nnet_utils/nnet_code_gen.h"
#pragma GCC pop_options
#include "firmware/{top}.cpp"
{wrappers}
const char *dse_weights = "";
extern "C" void dse_emulate(const char *weights, double *x, double *y, long rows, long n_in, long n_out) {{
    dse_weights = weights;
    for (long row = 0; row < rows; ++row)
        {top}_double(x + row * n_in, y + row * n_out);
}}
"""


def _headers(project: Path) -> str:
    """hls4ml's headers that a project uses; the place of the weights becomes a variable."""
    used = [line for line in (project / "firmware/parameters.h").read_text().splitlines() if '#include "nnet_utils/' in line]
    return "\n".join(
        [
            "extern const char *dse_weights;",
            "#define WEIGHTS_DIR dse_weights",
            *(f"#include <{name}>" for name in ("algorithm", "array", "cstddef", "iostream", "map", "sstream")),
            *(f'#include "{name}"' for name in ("ap_fixed.h", "ap_int.h", "nnet_utils/nnet_types.h")),
            *(line for line in used if not any(name in line for name in GENERATED)),
        ]
    )


def predict(library: Path, network: Network, project: Path, x: np.ndarray) -> np.ndarray:
    """Emulated outputs (n, n_out) in float64 for rows `x` (n, ...), computed over this process' share of the cores."""
    n_in = int(np.prod(network.layers[0].output_shape))
    n_out = int(np.prod(network.layer(network.outputs[0]).output_shape))
    return compiled.outputs(library, project / "firmware/weights", x.reshape(len(x), n_in), n_out)
