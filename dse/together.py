"""Designs that differ in their compression alone are trained together, before they are evaluated one by one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dse.design import Design
from dse.errors import StageFailed
from dse.evaluate import failed, flow_of
from dse.legal import illegal
from dse.nn import compress, train
from dse.record import Failure
from dse.store import Entry, Store, key_of
from dse.study import Study
from dse.workload import Workload

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """What the store has of many designs.

    So many trained networks were `made`, so many `known` before (designs may share one); designs that must be trained `alone`,
    with the reason; and by their digests those that `failed`.
    """

    made: int = 0
    known: int = 0
    alone: tuple[tuple[Design, str], ...] = ()
    failed: Mapping[str, Failure] = field(default_factory=dict)


@dataclass
class _Batch:
    """What has become of the designs so far."""

    workload: Workload
    store: Store
    stage: str = "check"
    made: int = 0
    known: int = 0
    alone: list[tuple[Design, str]] = field(default_factory=list)
    failed: dict[str, Failure] = field(default_factory=dict)

    def fail(self, stage: str, error: Exception, designs: Sequence[Design]) -> None:
        """Note one failure of all these designs."""
        self.failed |= {design.digest: failed(stage, error) for design in designs}


def together(designs: Sequence[Design], study: Study, store: Store) -> Prepared:
    """Make the store's missing `train` and `compress` entries of these designs, many networks at once.

    Each network is published as soon as its batch is finished. `evaluate` of a design then finds it; those that are `alone`
    are trained there.
    """
    if not isinstance(study.workload, Workload):
        apart = f"a {type(study.workload).__name__} holds no network that is trained for each design"
        return Prepared(alone=tuple((design, apart) for design in designs))
    done = _Batch(study.workload, store)
    for architecture in dict.fromkeys(design.architecture for design in designs):
        group = [design for design in designs if design.architecture == architecture]
        done.stage = "check"
        try:
            _one_architecture(group, done)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the other architectures go on
            done.fail(done.stage, error, group)
    return Prepared(done.made, done.known, tuple(done.alone), done.failed)


def base(workload: Workload, architecture: compress.Architecture, store: Store) -> Entry:
    """The `train` entry of an architecture, made where there is none; StageFailed where it cannot be."""
    return store.get(train.STAGE, train.causes(workload, architecture), lambda to: train.train(workload, architecture, to))


def _one_architecture(group: Sequence[Design], done: _Batch) -> None:
    workload, architecture = done.workload, group[0].architecture
    layers, apart = flow_of(workload).layers(architecture), compress.apart(workload, architecture)
    legal = []
    for design in group:
        reason = illegal(design, layers)
        if reason is None:
            legal.append(design)
        else:
            done.fail("check", StageFailed("invalid", reason), [design])
    if apart:
        _say(apart)
        done.alone += [(design, apart) for design in legal]
    elif legal:
        done.stage = train.STAGE
        found = base(workload, architecture, done.store)
        done.stage = compress.STAGE
        _train(legal, found, done)


@cache
def _say(apart: str) -> None:
    """Once per process."""
    log.warning("Networks are trained one by one, through QKeras: %s.", apart)


def _train(designs: Sequence[Design], base: Entry, done: _Batch) -> None:
    """Train what the store does not hold, and publish it batch by batch."""
    workload = done.workload
    causes = {design: compress.causes(workload, design, base.key) for design in designs}
    sharing: dict[str, list[Design]] = {}
    for design, why in causes.items():
        sharing.setdefault(key_of(compress.STAGE, why), []).append(design)
    waiting = deque(same for key, same in sharing.items() if not _known(key, same, done))
    if not waiting:
        return
    start = compress.Base(workload, designs[0].architecture, base.folder)
    try:
        for batch in compress.together(start, [same[0] for same in waiting]):
            for one in batch:
                _publish(waiting[0], causes[waiting[0][0]], one, done)
                waiting.popleft()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - what is published stays
        done.fail(compress.STAGE, error, [design for same in waiting for design in same])


def _known(key: str, same: Sequence[Design], done: _Batch) -> bool:
    """Whether the store has an answer for these designs: a trained network, or a failure that it remembers."""
    try:
        found = done.store.find(compress.STAGE, key)
    except StageFailed as error:
        done.fail(compress.STAGE, error, same)
        return True
    done.known += found is not None
    return found is not None


def _publish(same: Sequence[Design], why: Mapping[str, Any], one: compress.Compressed, done: _Batch) -> None:
    try:
        done.store.get(compress.STAGE, why, one.leave, spent=one.seconds)
        done.made += 1
    except StageFailed as error:
        done.fail(compress.STAGE, error, same)
