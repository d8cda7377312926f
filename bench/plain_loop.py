"""The baseline: the hls4ml tutorial's steps, one design after the other, as a script that a user would write.

usage: python bench/plain_loop.py digits|images|jets PARAMETERS.json EPOCHS      (prints one JSON line)

PARAMETERS.json is a list of {"bits", "sparsity", "reuse_factor", "strategy", "io_type"}; bits are one number or one per layer.
Resources are counted on the back of an envelope, so the baseline pays nothing for them.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

sys.modules["keras"] = tf_keras
import hls4ml
from qkeras import QActivation, QConv2D, QDense, quantized_bits, quantized_relu
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import train_test_split

#: Units of the dense layers, and the batch size, per workload.
SIZES = {"digits": (32, 16, 10), "images": (10,), "jets": (64, 32, 32, 5)}
BATCH = {"digits": 64, "images": 64, "jets": 1024}


def rows_of(workload):
    """All rows and labels."""
    if workload == "jets":
        return make_classification(100_000, 16, n_informative=10, n_redundant=4, n_classes=5, random_state=0)
    x, y = load_digits(return_X_y=True)
    return (x.reshape(-1, 8, 8, 1) if workload == "images" else x) / 16, y


def network(workload, shape, bits):
    """Layers with their own width each, quantised as in the tutorial."""
    sizes = SIZES[workload]
    layers = 2 if workload == "images" else 0
    widths = [bits] * (len(sizes) + layers) if isinstance(bits, int) else list(bits)
    inner = 6 if workload != "jets" else 12
    model = tf_keras.Sequential([tf_keras.layers.Input(shape), QActivation(quantized_bits(inner, 3, alpha=1), name="q_in")])
    for i, width in enumerate(widths[:layers]):
        quantizers = {f"{n}_quantizer": quantized_bits(width, 0, alpha=1) for n in ("kernel", "bias")}
        model.add(QConv2D(4 * (i + 1), 3, **quantizers, name=f"conv{i}"))
        model.add(QActivation(quantized_relu(width, 2), name=f"conv_relu{i}"))
    if layers:
        model.add(tf_keras.layers.Flatten())
    for i, (n, width) in enumerate(zip(sizes, widths[layers:], strict=True)):
        quantizers = {f"{n}_quantizer": quantized_bits(width, 0, alpha=1) for n in ("kernel", "bias")}
        model.add(QDense(n, **quantizers, name=f"fc{i}"))
        if i < len(sizes) - 1:
            model.add(QActivation(quantized_relu(width, 2), name=f"relu{i}"))
    return model


def trial(workload, row, epochs, data):
    """Train, prune, convert, compile and score one design."""
    x_train, x_validation, y_train, y_validation = data
    tf_keras.utils.set_random_seed(0)
    batch = BATCH[workload]
    steps = epochs * (len(x_train) // batch)
    model = tfmot.sparsity.keras.prune_low_magnitude(
        network(workload, x_train.shape[1:], row["bits"]),
        pruning_schedule=tfmot.sparsity.keras.PolynomialDecay(0.0, row["sparsity"], steps // 4, steps),
    )
    model.compile(tf_keras.optimizers.Adam(3e-3), tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callbacks = [tfmot.sparsity.keras.UpdatePruningStep()]
    model.fit(x_train, y_train, epochs=epochs, batch_size=batch, verbose=0, callbacks=callbacks)
    model = tfmot.sparsity.keras.strip_pruning(model)
    config = hls4ml.utils.config_from_keras_model(
        model, granularity="name", backend="Vitis", default_reuse_factor=row["reuse_factor"]
    )
    config["Model"]["Strategy"] = row["strategy"]
    with tempfile.TemporaryDirectory() as folder:
        firmware = hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, backend="Vitis", io_type=row["io_type"], output_dir=folder, bit_exact=True
        )
        firmware.compile()
        outputs = firmware.predict(np.ascontiguousarray(x_validation))
    return float(np.mean(outputs.argmax(1) == y_validation))


def main():
    """Score every row of the file."""
    workload, rows, epochs = sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), int(sys.argv[3])
    x, y = rows_of(workload)
    x = x.astype("float32")
    x_train, x_rest, y_train, y_rest = train_test_split(x, y, train_size=0.6, random_state=0, stratify=y)
    x_validation, _, y_validation, _ = train_test_split(x_rest, y_rest, train_size=0.5, random_state=0, stratify=y_rest)
    start = time.time()
    scores = [trial(workload, row, epochs, (x_train, x_validation, y_train, y_validation)) for row in rows]
    print(json.dumps({"trials": len(rows), "loop_s": time.time() - start, "mean_accuracy": float(np.mean(scores))}))


tf.get_logger().setLevel("ERROR")
main()
