"""Compiled emulation against hls4ml's own compile() and predict(), one JSON line per network.

usage: python bench/emulation.py [--rows 200] [--networks NAME...] [--level=-O1]

Networks: a digits MLP, a digits CNN in both IO types, an SVHN-size CNN with io_stream; `--networks svhn_parallel` is the latter
with io_parallel, which takes hls4ml minutes. Times are of the wall clock, on all cores that the process may use; `compile_s` is
without `headers_s`, which is paid once per store. `--level` compiles ours with another optimisation level of g++. `equal` is
the share of rows that both compute the same in every bit.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from dse import legacy_keras, library
from dse.nn import emulate, extract

#: Image shape or inputs, filters of 3 x 3 convolutions with pooling behind each, dense units, IO type.
NETWORKS = {
    "mlp": ((64,), (), (32, 16), "io_parallel"),
    "digits_cnn": ((8, 8, 1), (4,), (), "io_parallel"),
    "digits_cnn_stream": ((8, 8, 1), (4,), (), "io_stream"),
    "svhn": ((32, 32, 3), (16, 16, 24), (42, 64), "io_stream"),
    "svhn_parallel": ((32, 32, 3), (16, 16, 24), (42, 64), "io_parallel"),
}


def model(shape, filters, units):
    """A QKeras network of 6-bit weights and activations, ten logits, untrained."""
    import tf_keras
    from qkeras import QActivation, QConv2D, QDense, quantized_bits, quantized_relu

    tf_keras.utils.set_random_seed(1)

    def quantizers():
        return {name: quantized_bits(6, 0, alpha=1) for name in ("kernel_quantizer", "bias_quantizer")}

    x = tf_keras.layers.Input(shape, name="inputs")
    h = QActivation(quantized_bits(8, 1, alpha=1), name="quantized")(x)
    for i, n in enumerate(filters):
        h = QConv2D(n, 3, **quantizers(), name=f"conv{i}")(h)
        h = QActivation(quantized_relu(6, 1), name=f"conv{i}_relu")(h)
        h = tf_keras.layers.MaxPooling2D(2, name=f"pool{i}")(h)
    if filters:
        h = tf_keras.layers.Flatten(name="flat")(h)
    for i, n in enumerate(units):
        h = QDense(n, **quantizers(), name=f"fc{i}")(h)
        h = QActivation(quantized_relu(6, 1), name=f"fc{i}_relu")(h)
    return tf_keras.Model(x, QDense(10, **quantizers(), name="out")(h))


def timed(call):
    """What a call returns, and its seconds."""
    start = time.perf_counter()
    found = call()
    return found, time.perf_counter() - start


def compare(name, rows, folder):
    """One network by both ways."""
    import hls4ml

    shape, filters, units, io_type = NETWORKS[name]
    built = model(shape, filters, units)
    converted = hls4ml.converters.convert_from_keras_model(
        built,
        hls_config=hls4ml.utils.config_from_keras_model(built, granularity="name", backend="Vitis"),
        backend="Vitis",
        io_type=io_type,
        output_dir=str(folder / "project"),
        bit_exact=True,
    )
    converted.write()
    x = np.random.default_rng(0).uniform(-1, 1, size=(rows, *shape))
    project, network, libraries = folder / "project", extract.extract(converted), folder / "libraries"
    log = folder / "compile.log"
    _, both_s = timed(lambda: emulate.build(project, libraries, log))
    for path in libraries.glob("*.so"):
        path.unlink()
    made, compile_s = timed(lambda: emulate.build(project, libraries, log))
    ours, predict_s = timed(lambda: emulate.predict(made, network, project, x))
    _, theirs_compile_s = timed(converted.compile)
    theirs, theirs_predict_s = timed(lambda: converted.predict(x))
    return {
        "network": name,
        "io_type": io_type,
        "level": emulate.LEVEL,
        "rows": rows,
        "cores": library.cores(),
        "headers_s": round(both_s - compile_s, 2),
        "compile_s": round(compile_s, 2),
        "ms_per_row": round(1000 * predict_s / rows, 4),
        "hls4ml_compile_s": round(theirs_compile_s, 2),
        "hls4ml_ms_per_row": round(1000 * theirs_predict_s / rows, 4),
        "compile_ratio": round(theirs_compile_s / compile_s, 2),
        "row_ratio": round(theirs_predict_s / predict_s, 2),
        "ratio": round((theirs_compile_s + theirs_predict_s) / (compile_s + predict_s), 2),
        "equal": float(np.mean(np.all(ours.reshape(rows, -1) == theirs.reshape(rows, -1), axis=1))),
    }


def main():
    """Compare the networks that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--level", default=emulate.LEVEL)
    parser.add_argument(
        "--networks", nargs="+", choices=NETWORKS, default=[name for name in NETWORKS if name != "svhn_parallel"]
    )
    asked = parser.parse_args()
    emulate.LEVEL = asked.level
    with legacy_keras.keras_is_tf_keras():
        for name in asked.networks:
            with tempfile.TemporaryDirectory() as folder:
                print(json.dumps(compare(name, asked.rows, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
