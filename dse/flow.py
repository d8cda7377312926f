"""A flow: the way of one kind of workload from a design to a converted project, and how what is built is emulated.

`dse.evaluate` walks any of them. A new kind of workload is a subclass of `dse.workload.Problem` (its values, and the knobs
that its designs have), a subclass of Flow, and a line in `dse.evaluate.flow_of`; tests/flow_contract.py says what must hold.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dse.design import Design, Scalar
from dse.legal import LayerShape
from dse.metrics import Measurement, Metric, Source
from dse.network import Network
from dse.nn import emulate, reference, train
from dse.space import Space
from dse.store import Entry, Store, key_of
from dse.study import Target
from dse.workload import Rows

#: The stage that emulates a design of the front exactly as it is built.
VERIFY = "verify"


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

    def found(self, tool: str, level: str, values: Mapping[str, float], stage: str = "", own: tuple[Metric, ...] = ()) -> None:
        """Note figures of the current stage, or of an earlier one; nothing where there are none.

        `own` says what the study's own metrics are, those that `values` has and others.
        """
        if values:
            stage = stage or self.stage
            source = Source(stage, tool, train.versions(tool)[tool], level, self.entries[stage])
            stated = tuple(metric for metric in own if metric.name in values)
            self.measurements.append(Measurement(source, values, own=stated))


@dataclass(frozen=True)
class Built:
    """A design as it will be synthesised: its `convert` entry, which holds `project/` and the network.

    `effective` is what was built, flat like `Design.knobs` plus types per layer. `unquantised` holds figures of the model
    before anything was taken from it, by `library` in the entry of `origin`.
    """

    entry: Entry
    network: Network
    effective: Mapping[str, Scalar]
    unquantised: Mapping[str, float]
    origin: str
    library: str

    @property
    def project(self) -> Path:
        """The generated project; read only."""
        return self.entry.folder / "project"


class Flow(ABC):
    """How designs of one workload are built and emulated. Each step that takes time is an entry of the store (`Walk.get`)."""

    #: The library whose emulation scores the designs.
    emulator = "hls4ml"

    @abstractmethod
    def layers(self, architecture: tuple[tuple[str, Scalar], ...]) -> tuple[LayerShape, ...]:
        """The layers of an architecture that have knobs; StageFailed or DseError where it cannot be built."""

    @abstractmethod
    def identity(self, architecture: tuple[tuple[str, Scalar], ...]) -> str:
        """All that defines an architecture's model before anything is taken from it: equal text for equal models."""

    def outputs(self, architecture: tuple[tuple[str, Scalar], ...]) -> int | None:  # noqa: ARG002
        """How many outputs an architecture has; None: one per class or column of targets."""
        return None

    @abstractmethod
    def prove(self, target: Target, store: Store) -> None:
        """Show with something small that this machine can do all that a trial needs; DseError otherwise."""

    def check(self, space: Space) -> None:  # noqa: B027 - most models fit any space
        """UsageError where the space does not fit the model, as far as only a look at the model can tell."""

    @abstractmethod
    def build(self, design: Design, target: Target, walk: Walk) -> Built:
        """The design's entries up to `convert`, with its effective knobs read back and checked; StageFailed otherwise.

        `target` has the design's own clock.
        """

    def foresee(self, design: Design, target: Target, rows: Mapping[str, Rows], data: str, walk: Walk) -> tuple[Built, Entry]:
        """The design as it will be built, and the entry of its float64 reference's outputs for some rows; nothing is compiled.

        The entry is read like an emulation's and holds the network as well. A flow that knows the network without converting
        the design says so here; `verify` compares it with what is built.
        """
        built = self.build(design, target, walk)
        causes = {"version": reference.VERSION, "network": built.network.digest, "data": data}
        return built, walk.get(reference.STAGE, lambda: causes, lambda to: self._foreseen(built.network, rows, to))

    @staticmethod
    def _foreseen(network: Network, rows: Mapping[str, Rows], folder: Path) -> Mapping[str, Any]:
        told = reference.foresee(network, {name: found.x for name, found in rows.items()}, folder)
        for name, found in rows.items():
            np.save(folder / f"labels-{name}.npy", found.y, allow_pickle=False)
        return told

    def emulate(self, built: Built, rows: Mapping[str, Rows], data: str, walk: Walk, *, as_built: bool) -> Entry:
        """The entry of the emulation of some rows by name, `data` their fingerprint, with the labels beside the outputs.

        It is read by `emulate.load_outputs`, and its data state the `agreement` with the float64 reference per name. Unless it
        is `as_built` the emulation may be shared between hardware variants, where that is proved to be sound.
        """
        more = {"rows": sorted(rows)} if as_built else {}
        return walk.get(
            VERIFY if as_built else emulate.STAGE,
            lambda: self.causes(built, data, as_built=as_built) | more,
            lambda to: self._outputs(built, rows, walk.store.folder / "libraries", to),
        )

    def _outputs(self, built: Built, rows: Mapping[str, Rows], libraries: Path, folder: Path) -> Mapping[str, Any]:
        """Emulate, and keep the labels: confusion and ROC can then be drawn without the study's code."""
        told = self.run(built, {name: found.x for name, found in rows.items()}, libraries, folder)
        for name, found in rows.items():
            np.save(folder / f"labels-{name}.npy", found.y, allow_pickle=False)
        return told

    def causes(self, built: Built, data: str, *, as_built: bool) -> dict[str, Any]:
        """All that the outputs depend on."""
        shared = not as_built and emulate.shareable(built.network)
        return emulate.causes(built.network, data, shared=shared)

    def run(self, built: Built, rows: Mapping[str, np.ndarray], libraries: Path, folder: Path) -> Mapping[str, Any]:
        """Emulate into `folder` what was built; `libraries` is a cache. Like `emulate.emulate`, which does it for hls4ml."""
        return emulate.emulate(built.network, built.project, rows, libraries, folder)
