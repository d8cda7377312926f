"""One design through its stages: the page that says what a trial is."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from dse import ladder
from dse.design import Design, Scalar
from dse.errors import StageFailed
from dse.metrics import Measurement, Source
from dse.network import Network
from dse.nn import compress, convert, emulate, graph, train
from dse.record import Failure, Record
from dse.space import LayerShape, illegal
from dse.store import Entry, Store, key_of
from dse.study import Study
from dse.workload import Workload


@dataclass
class Walk:
    """What a trial has found so far, and where it is."""

    store: Store
    stage: str = "check"
    effective: Mapping[str, Scalar] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    pruned: str = ""
    entries: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def get(self, stage: str, causes: Callable[[], Mapping[str, Any]], make: Callable[[Path], Mapping[str, Any]]) -> Entry:
        """The store's entry of this stage, with the time that it took noted."""
        self.stage = stage
        start = time.monotonic()
        try:
            why = causes()
            self.entries[stage] = key_of(stage, why)
            return self.store.get(stage, why, make)
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - start

    def found(self, tool: str, level: str, values: Mapping[str, float]) -> None:
        """Note figures of the current stage."""
        version = train.versions(tool)[tool]
        self.measurements.append(Measurement(Source(self.stage, tool, version, level, self.entries[self.stage]), values))


def evaluate(trial: int, design: Design, study: Study, store: Store) -> Record:
    """Everything that is to be known of one design; failures are part of the record, never raised."""
    walk, failure = Walk(store), None
    try:
        _evaluate(design, study, walk)
    except Exception as error:  # noqa: BLE001 - whatever happens to a design is a record
        failure = failed(walk.stage, error)
    return Record(
        trial=trial,
        design=design,
        effective=walk.effective,
        measurements=tuple(walk.measurements),
        failure=failure,
        pruned=walk.pruned,
        entries=walk.entries,
        seconds=walk.seconds,
        finished=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def _evaluate(design: Design, study: Study, walk: Walk) -> None:
    workload = study.workload
    reason = illegal(design, shapes(workload, design.architecture))
    if reason is not None:
        raise StageFailed("invalid", reason)
    arch = design.architecture
    base = walk.get("train", lambda: train.causes(workload, arch), lambda to: train.train(workload, arch, to))
    walk.found("tensorflow", "trained", {"accuracy_float": base.data["accuracy_float"]})
    small = walk.get(
        "compress",
        lambda: compress.causes(workload, design, base.key),
        lambda to: compress.compress(workload, design, base.folder, to),
    )
    built = walk.get("convert", lambda: _convert_causes(study, design, small), lambda to: _convert(study, design, small, to))
    network = Network.load(built.folder)
    walk.effective = convert.effective(network)
    data = train.load_split(workload)
    seen = walk.get(
        "emulate",
        lambda: emulate.causes(network, data.fingerprint, shared=emulate.shareable(network)),
        lambda to: _emulate(network, built, {"validation": data.validation.x}, walk.store, to),
    )
    walk.found("hls4ml", "emulated", scores(seen, "validation", data.validation.y, "accuracy", "agreement"))
    agree(study, seen, "validation")
    walk.pruned = study.hopeless(walk.measurements[-1].values)
    if walk.pruned:
        return
    climb = ladder.Climb(walk.store, network, built.folder / "project", ladder.rungs(study.synthesizer))
    for rung in climb.rungs:
        cost = walk.get(ladder.STAGE, partial(climb.causes, rung), partial(climb.make, rung))
        climb.entries.append(cost)
        judge = rung.judge(study.target.name, study.fixed_clock_ns)
        walk.measurements.append(replace(ladder.stated(cost), judge=judge))


def verify(record: Record, study: Study, store: Store) -> tuple[tuple[Measurement, ...], Failure | None]:
    """Emulate a design of the front exactly as it is built, on the validation and the test rows.

    Returns the test figures, and a Failure("mismatch") where the emulation of what is built says something else than the
    emulation that the trial was scored by.
    """
    walk = Walk(store, entries=dict(record.entries))
    try:
        folder = store.path("convert", record.entries["convert"])
        built = store.find("convert", record.entries["convert"])
        if built is None:
            raise StageFailed("crash", f"{folder} is gone; run the same command again to make it anew.")
        network = Network.load(folder)
        data = train.load_split(study.workload)
        rows = {"validation": data.validation.x, "test": data.test.x}
        seen = walk.get(
            "verify",
            lambda: emulate.causes(network, data.fingerprint, shared=False) | {"rows": sorted(rows)},
            lambda to: _emulate(network, built, rows, store, to),
        )
        again = scores(seen, "validation", data.validation.y, "accuracy", "agreement")
        if again["accuracy"] != record.value("accuracy"):
            told = f"accuracy {again['accuracy']:.4f} as built, {record.value('accuracy'):.4f} when it was scored"
            raise StageFailed("mismatch", f"{told}: hls4ml computes something else for these hardware knobs.")
        for name in rows:
            agree(study, seen, name)
        walk.found("hls4ml", "emulated", scores(seen, "test", data.test.y, "accuracy_test", "agreement_test"))
    except Exception as error:  # noqa: BLE001
        return (), failed("verify", error)
    return tuple(walk.measurements), None


def failed(stage: str, error: Exception) -> Failure:
    """An exception as a typed failure; what nobody foresaw is a `crash` with its traceback as log."""
    if isinstance(error, StageFailed):
        return Failure(stage, error.kind, error.message, error.log)
    kind = "memory" if isinstance(error, MemoryError) else "crash"
    return Failure(stage, kind, f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


@lru_cache(maxsize=64)
def shapes(workload: Workload, architecture: tuple[tuple[str, Scalar], ...]) -> tuple[LayerShape, ...]:
    """The layers of an architecture that have knobs."""
    found = []
    for node in graph.nodes(train.build(workload, architecture)):
        if node.weighted or node.activated:
            n_in, n_out = node.layer.kernel.shape if node.weighted else (0, 0)
            found.append(LayerShape(node.name, int(n_in), int(n_out), node.weighted, node.activated))
    return tuple(found)


def _convert_causes(study: Study, design: Design, small: Entry) -> dict[str, Any]:
    return {
        "version": convert.VERSION,
        "libraries": train.versions("hls4ml", "qkeras", "tf_keras"),
        "backend": convert.BACKEND,
        "model": small.key,
        "hardware": design.as_json()["hardware"],
        "part": study.target.name,
        "clock_ns": _clock(study, design),
    }


def _clock(study: Study, design: Design) -> float:
    asked = design.hardware.clock_ns
    return study.target.clock_ns if asked is None else asked


def _convert(study: Study, design: Design, small: Entry, folder: Path) -> Mapping[str, Any]:
    model = compress.load_model(study.workload, design, small.folder)
    told = convert.convert(model, design.hardware, study.target.name, _clock(study, design), folder)
    quantizers = graph.Quantizers.from_json(small.data["quantizers"])
    network = Network.load(folder)
    convert.check(network, design.hardware, quantizers, convert.quantised_weights(model, quantizers))
    return told


def _emulate(network: Network, built: Entry, rows: Mapping[str, np.ndarray], store: Store, folder: Path) -> Mapping[str, Any]:
    return emulate.emulate(network, built.folder / "project", rows, store.folder / "libraries", folder)


def scores(seen: Entry, rows: str, y: np.ndarray, accuracy: str, agreement: str) -> dict[str, float]:
    """Accuracy and agreement of an emulation under these metric names; the outputs are logits (n, classes)."""
    outputs = emulate.load_outputs(seen.folder, rows)
    return {
        accuracy: float(np.mean(outputs.argmax(axis=1) == y)),
        f"{accuracy}_n": len(y),
        agreement: seen.data["agreement"][rows],
    }


def agree(study: Study, seen: Entry, rows: str) -> None:
    """StageFailed("mismatch") where an exact workload's emulation differs from the float64 reference on any row."""
    share = seen.data["agreement"][rows]
    if study.workload.exact and share < 1:
        raise StageFailed("mismatch", f"the emulation equals the float64 reference on {share:.2%} of the {rows} rows only.")
