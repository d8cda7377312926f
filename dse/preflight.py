"""Proof before the first trial that this machine can do all that a trial needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dse import compiler
from dse.design import Hardware
from dse.errors import DseError, StageFailed
from dse.fixed import Quantizer
from dse.network import Network
from dse.nn import convert, emulate, graph, train
from dse.store import Store
from dse.study import Target


def preflight(target: Target, store: Store) -> None:
    """Build, convert, compile and emulate a one-neuron network, once per set of versions; DseError where that fails.

    A failure is the machine's and is not remembered: it may be mended before the next start.
    """
    causes = {
        "version": convert.VERSION,
        "libraries": train.versions("hls4ml", "qkeras", "tf_keras", "tensorflow", "numpy"),
        "compiler": compiler.compiler_version(),
        "part": target.name,
    }

    def make(folder: Path) -> Mapping[str, Any]:
        try:
            return _one_neuron(target, store, folder)
        except StageFailed as error:
            raise DseError(
                f"a one-neuron network could not be built and emulated here: {error.message}\n{error.log}".strip()
            ) from error

    store.get("preflight", causes, make)


def _one_neuron(target: Target, store: Store, folder: Path) -> Mapping[str, Any]:
    import tf_keras

    neuron = tf_keras.layers.Dense(1, activation="relu", name="neuron")
    model = tf_keras.Sequential([tf_keras.layers.Input((1,)), neuron])
    activations = {graph.INPUT_QUANTIZER: Quantizer(6, 0), "neuron": Quantizer(6, 0, signed=False)}
    quantizers = graph.Quantizers({"neuron": Quantizer(6, 0)}, {"neuron": Quantizer(6, 0)}, activations)
    small = graph.quantised(graph.nodes(model), quantizers)
    convert.convert(small, Hardware(), target.name, target.clock_ns, folder)
    network = Network.load(folder)
    rows = {"probe": np.linspace(-1, 1, 9).reshape(-1, 1)}
    told = emulate.emulate(network, folder / "project", rows, store.folder / "libraries", folder)
    if told["agreement"]["probe"] < 1:
        raise StageFailed("mismatch", "a one-neuron network: the emulation differs from the float64 reference on this machine.")
    return told
