"""One network up the rungs of a synthesizer, each rung an entry of the store: nothing is synthesised twice."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dse import proof
from dse.errors import ReportError, StageFailed, UsageError
from dse.metrics import Measurement
from dse.network import Network
from dse.nn import emulate, reference
from dse.record import Failure, Record, Refusal
from dse.store import Entry, Store, key_of
from dse.synth import Refinement, Synthesizer
from dse.synth.open import Adders
from dse.synth.vectors import Vectors
from dse.synth.vitis import Vitis
from dse.synth.vivado import Vivado

STAGE = "synthesize"
#: Rows of a co-simulation.
BENCH_ROWS = 100


def rungs(synthesizer: Synthesizer) -> tuple[Synthesizer, ...]:
    """The synthesizer and all that it stands on, the lowest first."""
    below = rungs(synthesizer.hls) if isinstance(synthesizer, Refinement) else ()
    return (*below, synthesizer)


def admit(synthesizer: Synthesizer, network: Network) -> None:
    """StageFailed("unsupported") where it is known from the network alone that there will be no figures."""
    lowest = rungs(synthesizer)[0]
    if isinstance(lowest, Adders):
        lowest.refuse(network)


def proves(synthesizer: Synthesizer) -> bool:
    """Whether it must be given the emulation's rows, to be held against them before it states a figure."""
    return isinstance(rungs(synthesizer)[0], Adders)


def patience_s(synthesizer: Synthesizer, jobs: int) -> float:
    """What all rungs may take by the terms of their tools when `jobs` designs wait for their turn; infinite without a limit.

    A run of a tool, and the licence it waits for, have limits of their own; other synthesizers take no time worth counting.
    """
    found = 0.0
    for rung in rungs(synthesizer):
        if isinstance(rung, (Vitis, Vivado)):
            limit = rung.terms.limits.timeout_s
            turns = math.ceil(jobs / rung.terms.at_once)
            found += math.inf if limit is None else turns * (limit + rung.terms.licence_wait_s)
    return found


def causes(rung: Synthesizer, network: Network, vectors: Vectors | None = None) -> dict[str, Any]:
    """All that one rung's entry depends on; with `vectors`, of the entry that was co-simulated on them."""
    found = {"synthesizer": type(rung).__name__, **rung.causes(network)}
    return found if vectors is None else found | {"cosim": _digest(vectors)}


def _digest(vectors: Vectors) -> str:
    total = hashlib.sha256()
    for array in (vectors.inputs, vectors.outputs):
        total.update(f"{array.shape}".encode() + np.ascontiguousarray(array, dtype=np.float64).tobytes())
    return total.hexdigest()


@dataclass(frozen=True)
class Climb:
    """One network, its generated project (read only) and the rungs to be climbed.

    `vectors` are rows of the emulation with its outputs: adder graphs are held against them, C synthesis is co-simulated on the
    first of them where `cosim` asks for it. An entry that was co-simulated answers for plain synthesis too. `emulated` is a
    project whose compiled emulation gives further outputs: this one, or another that computes the same.
    """

    store: Store
    network: Network
    project: Path
    rungs: tuple[Synthesizer, ...]
    vectors: Vectors | None = None
    cosim: bool = False
    emulated: Path | None = None
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.cosim and (self.vectors is None or not isinstance(self.rungs[0], Vitis)):
            raise UsageError("a co-simulation needs an HLS tool and vectors.")

    def causes(self, rung: Synthesizer) -> dict[str, Any]:
        """What this rung's entry depends on here."""
        checked = causes(rung, self.network, self._bench) if rung is self.rungs[0] and self._checkable else None
        if checked is not None and (self.cosim or self._answers(checked)):
            return checked
        return causes(rung, self.network)

    @property
    def _bench(self) -> Vectors | None:
        """The rows of a co-simulation, which takes seconds for each."""
        return None if self.vectors is None else self.vectors.first(BENCH_ROWS)

    @property
    def _checkable(self) -> bool:
        return self.vectors is not None and isinstance(self.rungs[0], Vitis)

    def _answers(self, checked: Mapping[str, Any]) -> bool:
        """Whether a co-simulation has been made: it passed, or showed that the RTL computes something else."""
        try:
            return self.store.find(STAGE, key_of(STAGE, checked)) is not None
        except StageFailed as failure:
            return failure.kind == "mismatch"

    def make(self, rung: Synthesizer, folder: Path) -> dict[str, Any]:
        """Synthesise one rung into `folder`; the last of `entries` is the rung below."""
        try:
            return self._make(rung, folder)
        except (StageFailed, ReportError) as error:
            # the folder moves when the entry is published
            kind, log = (error.kind, error.log) if isinstance(error, StageFailed) else ("report", "")
            raise StageFailed(kind, str(error).replace(f"{folder}/", ""), log) from error

    def _make(self, rung: Synthesizer, folder: Path) -> dict[str, Any]:
        if isinstance(rung, Refinement):
            return rung.refine(self.network, self.entries[-1].folder, folder).as_json()
        if self.cosim and isinstance(rung, Vitis):
            return rung.synthesize(self.network, self.project, folder, self._bench).as_json()
        if isinstance(rung, Adders) and self.vectors is not None:
            rung.refuse(self.network)  # before anything is compiled
            libraries, log = self.store.folder / "libraries", folder / proof.LOG
            rows = proof.vectors(self.network, self.emulated or self.project, libraries, self.vectors, log)
            return rung.synthesize(self.network, self.project, folder, rows).as_json()
        return rung.synthesize(self.network, self.project, folder).as_json()

    def settled(self, keys: Container[str]) -> bool:
        """Whether these entries hold all figures that are asked for."""
        return all(key_of(STAGE, self.causes(rung)) in keys for rung in self.rungs)

    def up(self) -> Iterator[tuple[Synthesizer, Entry]]:
        """Each rung's entry, the lowest first; StageFailed at the first that fails."""
        for rung in self.rungs:
            entry = self.store.get(STAGE, self.causes(rung), partial(self.make, rung))
            self.entries.append(entry)
            yield rung, entry


def stated(entry: Entry) -> Measurement:
    """The figures of an entry, with its key in their source."""
    found = Measurement.from_json(entry.data)
    return replace(found, source=replace(found.source, key=entry.key))


@dataclass(frozen=True)
class Task:
    """A finished design to be synthesised: its record, the rungs to climb, and the clock of the judges (None: swept)."""

    record: Record
    store: Store
    rungs: tuple[Synthesizer, ...]
    cosim: bool
    clock_ns: float | None


@dataclass(frozen=True)
class Told:
    """What tools have said of a design: new figures, or who has none and why, and where the files are.

    `seconds` is the time that was spent now: 0 where everything was in the store.
    """

    measurements: tuple[Measurement, ...]
    refusal: Refusal | None
    seconds: float
    files: Path | None


def network_of(record: Record, store: Store) -> Path | None:
    """The folder with a record's network: converted, or foreseen where that is all there is; None where both are gone."""
    for stage in ("convert", reference.STAGE):
        entry = store.find(stage, record.entries[stage]) if stage in record.entries else None
        if entry is not None:
            return entry.folder
    return None


def climb(task: Task) -> Told:
    """Synthesise one design rung by rung; what the store or the record has already is not made again."""
    record, store = task.record, task.store
    built = network_of(record, store)
    if built is None:
        raise UsageError(f"trial {record.trial}: {store.folder} no longer holds its network.")
    network = Network.load(built)
    on_the_way = Climb(store, network, built / "project", task.rungs, emulated_rows(record, store), task.cosim)
    known = {found.source.key for found in record.measurements}
    found: list[Measurement] = []
    seconds = 0.0
    if on_the_way.settled(known):
        return Told((), None, seconds, None)
    try:
        for rung, entry in on_the_way.up():
            judge = rung.judge(network.part, task.clock_ns)
            seconds += entry.seconds if entry.fresh else 0.0
            if entry.key not in known:
                found.append(replace(stated(entry), judge=judge))
    except StageFailed as error:
        rung = task.rungs[len(on_the_way.entries)]
        key = key_of(STAGE, on_the_way.causes(rung))
        failure = Failure(STAGE, error.kind, error.message, error.log)
        refusal = Refusal(rung.judge(network.part, task.clock_ns), failure, key)
        return Told(tuple(found), refusal, seconds, store.draft(STAGE, key) if failure.passing else store.path(STAGE, key))
    return Told(tuple(found), None, seconds, on_the_way.entries[-1].folder)


def emulated_rows(record: Record, store: Store) -> Vectors | None:
    """The kept rows of a design's emulation, as built where that was done, and its outputs; None where they are gone."""
    verified = [found.source.key for found in record.measurements if found.source.stage == "verify"]
    stages = [("verify", key) for key in verified[-1:]]
    stages += [(stage, key) for stage, key in record.entries.items() if stage == emulate.STAGE]
    for stage, key in stages:
        entry = store.find(stage, key)
        if entry is not None:
            return Vectors(*emulate.load_bench(entry.folder, "validation"))
    return None
