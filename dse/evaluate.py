"""One design through its stages: the page that says what a trial is."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np

from dse import ladder, scores
from dse.bdt.flow import Boosted
from dse.design import Design, PerLayer
from dse.errors import DseError, StageFailed
from dse.flow import VERIFY, Built, Flow, Walk
from dse.legal import illegal
from dse.metrics import Measurement
from dse.network import Network
from dse.nn import emulate, ptq, qat, train
from dse.record import Failure, Record
from dse.store import Entry, Store
from dse.study import Study, Target
from dse.synth.vectors import Vectors
from dse.workload import Pretrained, Problem, Trees, Workload


def flow_of(workload: Problem) -> Flow:
    """How designs of this kind of workload are built and emulated."""
    match workload:
        case Workload():
            return qat.Trained(workload)
        case Trees():
            return Boosted(workload)
        case Pretrained():
            return ptq.AsItIs(workload)
    raise TypeError(f"no flow for a {type(workload).__name__}")


def evaluate(trial: int, design: Design, study: Study, store: Store) -> Record:
    """Everything that is to be known of one design; failures are part of the record.

    MemoryError alone is raised: what this process holds is in the way of whatever it does next.
    """
    walk, failure = Walk(store), None
    try:
        _evaluate(design, study, walk)
    except MemoryError:
        raise
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
    flow = flow_of(study.workload)
    reason = illegal(design, flow.layers(design.architecture))
    if reason is not None:
        raise StageFailed("invalid", reason)
    foreseen = study.emulate == "front"
    built, seen = _scored(flow, design, study, walk, foreseen=foreseen)
    walk.effective = built.effective
    reached = measure(study, seen, "validation")
    tool, level = ("dse", "reference") if foreseen else (flow.emulator, "emulated")
    walk.found(tool, level, reached, own=study.workload.metrics)
    walk.found(built.library, "trained", built.unquantised, stage=built.origin)
    agree(study, seen, "validation")
    walk.pruned = study.hopeless(reached)
    if walk.pruned:
        return
    climb = ladder.Climb(walk.store, built.network, built.project, ladder.rungs(study.synthesizer))
    if ladder.proves(study.synthesizer):
        known = _rows(train.load_split(study.workload).validation.x, seen)
        climb = replace(climb, vectors=known, emulated=_compiled(flow, built, design, study, walk.store).project)
    for rung in climb.rungs:
        cost = walk.get(ladder.STAGE, partial(climb.causes, rung), partial(climb.make, rung))
        climb.entries.append(cost)
        judge = rung.judge(study.target.name, study.fixed_clock_ns)
        walk.measurements.append(replace(ladder.stated(cost), judge=judge))


def _scored(flow: Flow, design: Design, study: Study, walk: Walk, *, foreseen: bool) -> tuple[Built, Entry]:
    """The design and the outputs that its trial is scored by: of its emulation, or `foreseen` by the float64 reference."""
    data, to = train.load_split(study.workload), target(study, design)
    rows = {"validation": data.validation}
    if foreseen:
        return flow.foresee(design, to, rows, data.fingerprint, walk)
    built = flow.build(design, to, walk)
    walk.stage = ladder.STAGE
    ladder.admit(study.synthesizer, built.network)
    compiled = _compiled(flow, built, design, study, walk.store)
    return built, flow.emulate(compiled, rows, data.fingerprint, walk, as_built=False)


def target(study: Study, design: Design) -> Target:
    """The study's target, with the design's clock where that is a knob."""
    asked = design.hardware.clock_ns
    return study.target if asked is None else replace(study.target, clock_ns=asked)


def _compiled(flow: Flow, built: Built, design: Design, study: Study, store: Store) -> Built:
    """What is compiled to score a design: itself, or its like of the latency strategy where that computes the same.

    hls4ml's distributed arithmetic writes the weights into the code and compiles for a minute; the front is compiled as built.
    """
    adders = "distributed_arithmetic" in {layer.strategy for layer in built.network.multipliers}
    if not adders or not emulate.shareable(built.network):
        return built
    plain = replace(design, hardware=replace(design.hardware, strategy=PerLayer("latency")))
    other = flow.build(plain, target(study, design), Walk(store))
    return other if other.network.function_digest == built.network.function_digest else built


def _rows(x: np.ndarray, seen: Entry) -> Vectors:
    """The validation rows and what the emulation made of them."""
    return Vectors(x.reshape(len(x), -1), emulate.load_outputs(seen.folder, "validation"))


def verify(record: Record, study: Study, store: Store) -> tuple[tuple[Measurement, ...], Failure | None]:
    """Emulate a design of the front exactly as it is built, on the validation and the test rows.

    Returns the test figures (and the validation rows' of a design that was not emulated before), and a Failure("mismatch")
    where the network or any output differs from what the trial was scored by. Entries that are gone are made again. MemoryError
    is raised, as by `evaluate`.
    """
    walk = Walk(store)
    try:
        flow = flow_of(study.workload)
        foreseen = any(found.source.level == "reference" for found in record.measurements)
        before, scored = _scored(flow, record.design, study, walk, foreseen=foreseen)
        built = flow.build(record.design, target(study, record.design), walk)
        _same(before.network, built.network)
        data = train.load_split(study.workload)
        rows = {"validation": data.validation, "test": data.test}
        seen = flow.emulate(built, rows, data.fingerprint, walk, as_built=True)
        again = measure(study, seen, "validation")
        _same_outputs(record, scored, seen, again)
        for name in rows:
            agree(study, seen, name)
        reached = measure(study, seen, "test") | (again if foreseen else {})
        walk.found(flow.emulator, "emulated", reached, own=study.workload.metrics)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001
        return (), failed(VERIFY, error)
    return tuple(walk.measurements), None


def _same(foreseen: Network, built: Network) -> None:
    """StageFailed("mismatch") where hls4ml has built another network than the one that was scored."""
    if foreseen.digest != built.digest:
        pairs = zip(foreseen.layers, built.layers, strict=False)
        layers = [f"{was.name}: {was} was foreseen, {now} is built" for was, now in pairs if was != now]
        told = layers[0] if layers else "the same layers with other weights"
        raise StageFailed("mismatch", f"hls4ml builds another network than was foreseen: {told}.")


def _same_outputs(record: Record, scored: Entry, seen: Entry, again: Mapping[str, float]) -> None:
    """StageFailed("mismatch") where what is built computes something else than what the trial was scored by."""
    before, now = (emulate.load_outputs(entry.folder, "validation") for entry in (scored, seen))
    known = {name: value for name, value in again.items() if record.value(name) is not None}
    if not known or any(value != record.value(name) for name, value in known.items()) or not np.array_equal(before, now):
        equal = float(np.mean(np.all(before == now, axis=1)))
        first, value = next(iter(again.items()))
        told = f"{equal:.2%} of the validation rows are as they were scored, {first} {value:.4f} as built"
        raise StageFailed("mismatch", f"{told}: hls4ml computes something else for these hardware knobs.")


def failed(stage: str, error: Exception) -> Failure:
    """An exception as a typed failure; what nobody foresaw is a `crash` with its traceback as log."""
    if isinstance(error, StageFailed):
        return Failure(stage, error.kind, error.message, error.log)
    if isinstance(error, DseError):  # the study's own function or value does not hold for this design
        return Failure(stage, "invalid", str(error))
    return Failure(stage, "crash", f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


#: What an emulation's entry states per set of rows, and the metric's name.
_BESIDE = {"agreement": "agreement", "trained": "agreement_trained", "difference": "difference_trained"}


def measure(study: Study, seen: Entry, rows: str) -> dict[str, float]:
    """Scores and, of an emulation, agreement on the "validation" or "test" rows, under the names of their metrics."""
    data, suffix = train.load_split(study.workload), "_test" if rows == "test" else ""
    outputs, y = emulate.load_outputs(seen.folder, rows), getattr(data, rows).y
    found = scores.measure(outputs, y, data.task, study.workload.scores, suffix)
    for told, metric in _BESIDE.items():
        if rows in seen.data.get(told, {}):
            found[f"{metric}{suffix}"] = seen.data[told][rows]
    return found


def agree(study: Study, seen: Entry, rows: str) -> None:
    """StageFailed("mismatch") where an exact workload's emulation differs from the float64 reference on any row."""
    share = seen.data["agreement"].get(rows)  # None: not emulated
    if study.workload.exact and share is not None and share < 1:
        raise StageFailed("mismatch", f"the emulation equals the float64 reference on {share:.2%} of the {rows} rows only.")
