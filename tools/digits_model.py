"""Train a small network on the digits and save it as it would come from anywhere: a model to try studies/trained_model.py with.

python tools/digits_model.py digits.keras            # Keras 3
python tools/digits_model.py digits.h5               # tf_keras (Keras 2)
python tools/digits_model.py --qkeras digits6.h5     # QKeras, 6 bits
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

from dse import datasets, legacy_keras
from dse.workload import split


def plain(keras: Any) -> Any:
    """64-32-16-10 with a batch normalisation and a softmax at its end."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((64,)),
            layers.Dense(32, name="fc1"),
            layers.BatchNormalization(name="norm"),
            layers.Activation("relu", name="relu1"),
            layers.Dense(16, activation="relu", name="fc2"),
            layers.Dense(10, activation="softmax", name="out"),
        ]
    )


def quantised(keras: Any) -> Any:
    """The same with quantisers of 6 bits between all layers, and logits at its end."""
    from qkeras import QActivation, QDense, quantized_bits, quantized_relu

    def dense(units: int, name: str) -> Any:
        bits = quantized_bits(6, 0, alpha=1)
        return QDense(units, kernel_quantizer=bits, bias_quantizer=bits, name=name)

    return keras.Sequential(
        [
            keras.layers.Input((64,)),
            QActivation(quantized_bits(8, 0, alpha=1), name="pixels"),
            dense(32, "fc1"),
            QActivation(quantized_relu(6, 1), name="relu1"),
            dense(16, "fc2"),
            QActivation(quantized_relu(6, 2), name="relu2"),
            dense(10, "out"),
        ]
    )


def main() -> None:
    """Train for 30 epochs on the training rows of the split that studies use."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--qkeras", action="store_true")
    given = parser.parse_args()
    legacy_keras.import_tensorflow()
    keras: Any
    if given.out.suffix == ".keras":
        import keras
    else:
        import tf_keras as keras
    keras.utils.set_random_seed(0)
    with legacy_keras.keras_is_tf_keras():
        model = quantised(keras) if given.qkeras else plain(keras)
    rows = split(datasets.digits(), 0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=given.qkeras)
    model.compile(keras.optimizers.Adam(3e-3), loss, metrics=["accuracy"])
    model.fit(rows.train.x, rows.train.y, epochs=30, batch_size=64, verbose=0)
    accuracy = model.evaluate(rows.validation.x, rows.validation.y, verbose=0)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that .h5 is an old format is why it is made
        model.save(given.out)
    print(f"{given.out}: {accuracy:.4f} of the validation rows are right")


if __name__ == "__main__":
    main()
