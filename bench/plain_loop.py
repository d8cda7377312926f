"""The baseline: the hls4ml tutorial's steps, one design after the other, as a script that a user would write.

usage: python bench/plain_loop.py PARAMETERS.json EPOCHS      (prints one JSON line)

PARAMETERS.json is a list of {"bits", "sparsity", "reuse_factor", "strategy", "io_type"}. Resources are counted on the back of
an envelope, so the baseline pays nothing for them.
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
from qkeras import QActivation, QDense, quantized_bits, quantized_relu
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def network(bits):
    """64-32-16-10 with one width for all weights and activations."""
    model = tf_keras.Sequential([tf_keras.layers.Input((64,)), QActivation(quantized_bits(6, 1, alpha=1), name="q_in")])
    for i, n in enumerate((32, 16)):
        quantizer = quantized_bits(bits, 0, alpha=1)
        model.add(QDense(n, kernel_quantizer=quantizer, bias_quantizer=quantized_bits(bits, 0, alpha=1), name=f"fc{i}"))
        model.add(QActivation(quantized_relu(bits, 2), name=f"relu{i}"))
    quantizer = quantized_bits(bits, 0, alpha=1)
    model.add(QDense(10, kernel_quantizer=quantizer, bias_quantizer=quantized_bits(bits, 0, alpha=1), name="out"))
    return model


def trial(row, epochs, data):
    """Train, prune, convert, compile and score one design."""
    x_train, x_validation, y_train, y_validation = data
    tf_keras.utils.set_random_seed(0)
    steps = epochs * (len(x_train) // 64)
    model = tfmot.sparsity.keras.prune_low_magnitude(
        network(row["bits"]),
        pruning_schedule=tfmot.sparsity.keras.PolynomialDecay(0.0, row["sparsity"], steps // 4, steps),
    )
    model.compile(tf_keras.optimizers.Adam(3e-3), tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callbacks = [tfmot.sparsity.keras.UpdatePruningStep()]
    model.fit(x_train, y_train, epochs=epochs, batch_size=64, verbose=0, callbacks=callbacks)
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
    rows = json.loads(Path(sys.argv[1]).read_text())
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")
    x_train, x_rest, y_train, y_rest = train_test_split(x, y, train_size=0.6, random_state=0, stratify=y)
    x_validation, _, y_validation, _ = train_test_split(x_rest, y_rest, train_size=0.5, random_state=0, stratify=y_rest)
    start = time.time()
    scores = [trial(row, int(sys.argv[2]), (x_train, x_validation, y_train, y_validation)) for row in rows]
    print(json.dumps({"trials": len(rows), "loop_s": time.time() - start, "mean_accuracy": float(np.mean(scores))}))


tf.get_logger().setLevel("ERROR")
main()
