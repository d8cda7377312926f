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
from dse.errors import DseError, StageFailed
from dse.metrics import Measurement, Source
from dse.network import Network
from dse.nn import compress, convert, emulate, graph, train
from dse.record import Failure, Record
from dse.space import LayerShape, illegal
from dse.store import Entry, Store, key_of
from dse.study import Study
from dse.workload import Rows, Workload


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

    def found(self, tool: str, level: str, values: Mapping[str, float], stage: str = "") -> None:
        """Note figures of the current stage, or of an earlier one."""
        stage = stage or self.stage
        source = Source(stage, tool, train.versions(tool)[tool], level, self.entries[stage])
        self.measurements.append(Measurement(source, values))


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
    built, float_accuracy = _built(design, study, walk)
    network = Network.load(built.folder)
    walk.effective = convert.effective(network)
    seen = _scored(network, built, study, walk)
    rows = train.load_split(workload).validation
    reached = scores(seen, "validation", rows.y, "accuracy", "agreement")
    walk.found("hls4ml", "emulated", reached)
    walk.found("tensorflow", "trained", {"accuracy_float": float_accuracy}, stage="train")
    agree(study, seen, "validation")
    walk.pruned = study.hopeless(reached)
    if walk.pruned:
        return
    climb = ladder.Climb(walk.store, network, built.folder / "project", ladder.rungs(study.synthesizer))
    for rung in climb.rungs:
        cost = walk.get(ladder.STAGE, partial(climb.causes, rung), partial(climb.make, rung))
        climb.entries.append(cost)
        judge = rung.judge(study.target.name, study.fixed_clock_ns)
        walk.measurements.append(replace(ladder.stated(cost), judge=judge))


def _built(design: Design, study: Study, walk: Walk) -> tuple[Entry, float]:
    """The design's `convert` entry, whatever has to be made for it, and the float model's accuracy."""
    workload, arch = study.workload, design.architecture
    base = walk.get("train", lambda: train.causes(workload, arch), lambda to: train.train(workload, arch, to))
    small = walk.get(
        "compress",
        lambda: compress.causes(workload, design, base.key),
        lambda to: compress.compress(workload, design, base.folder, to),
    )
    built = walk.get("convert", lambda: _convert_causes(study, design, small), lambda to: _convert(study, design, small, to))
    return built, float(base.data["accuracy_float"])


def _scored(network: Network, built: Entry, study: Study, walk: Walk) -> Entry:
    """The emulation that the trial is scored by: shared between hardware variants where that is proved to be sound."""
    data = train.load_split(study.workload)
    return walk.get(
        "emulate",
        lambda: emulate.causes(network, data.fingerprint, shared=emulate.shareable(network)),
        lambda to: _emulate(network, built, {"validation": data.validation}, walk.store, to),
    )


def verify(record: Record, study: Study, store: Store) -> tuple[tuple[Measurement, ...], Failure | None]:
    """Emulate a design of the front exactly as it is built, on the validation and the test rows.

    Returns the test figures, and a Failure("mismatch") where any output of what is built differs from the emulation that the
    trial was scored by. Entries that are gone are made again.
    """
    walk = Walk(store)
    try:
        built, _ = _built(record.design, study, walk)
        network = Network.load(built.folder)
        scored = _scored(network, built, study, walk)
        data = train.load_split(study.workload)
        rows = {"validation": data.validation, "test": data.test}
        seen = walk.get(
            "verify",
            lambda: emulate.causes(network, data.fingerprint, shared=False) | {"rows": sorted(rows)},
            lambda to: _emulate(network, built, rows, store, to),
        )
        before, now = (emulate.load_outputs(entry.folder, "validation") for entry in (scored, seen))
        again = scores(seen, "validation", data.validation.y, "accuracy", "agreement")
        if again["accuracy"] != record.value("accuracy") or not np.array_equal(before, now):
            equal = float(np.mean(np.all(before == now, axis=1)))
            told = f"{equal:.2%} of the validation rows are as they were scored, accuracy {again['accuracy']:.4f} as built"
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
    if isinstance(error, DseError):  # the study's own function or value does not hold for this design
        return Failure(stage, "invalid", str(error))
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
        "libraries": train.versions("hls4ml", "qkeras", "tf_keras") | train.versions_if_present("da4ml"),
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


def _emulate(network: Network, built: Entry, rows: Mapping[str, Rows], store: Store, folder: Path) -> Mapping[str, Any]:
    """Emulate, and keep the labels beside the outputs: confusion and ROC can then be drawn without the study's code."""
    told = emulate.emulate(
        network, built.folder / "project", {name: found.x for name, found in rows.items()}, store.folder / "libraries", folder
    )
    for name, found in rows.items():
        np.save(folder / f"labels-{name}.npy", found.y, allow_pickle=False)
    return told


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
