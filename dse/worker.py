"""What runs in a worker process: one study, one store, many tasks. Nothing here outlives the sweep's own process."""

from __future__ import annotations

import ctypes
import errno
import itertools
import json
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle

from dse import busy, library, scores
from dse.compiler import compiler_version
from dse.design import Design, Scalar
from dse.domains import Domain
from dse.errors import DseError, StageFailed, UsageError
from dse.legal import LayerShape
from dse.metrics import Measurement
from dse.record import Failure, Record
from dse.store import Store, key_of
from dse.study import Study
from dse.workload import Split, Workload

if TYPE_CHECKING:
    from dse.together import Prepared

PR_SET_PDEATHSIG = 1
#: Architectures that are built before the first trial, to know their layers.
ARCHITECTURES = 64
OUT_OF_MEMORY = errno.ENOMEM  # the exit code of a worker whose memory did not suffice

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setup:
    """What a worker needs at its start: the pickled study, the store, its share of the cores, and the folder of the sweep."""

    study: bytes
    store: Store
    threads: int
    runner: int
    folder: Path


@dataclass
class _Here:
    """This process' study and store, and the folder of the sweep's records."""

    study: Study | None = None
    store: Store | None = None
    folder: Path = Path()


_here = _Here()


@dataclass(frozen=True)
class Facts:
    """What only a look at the data and the built model can tell: layers, and digests of all that defines the workload."""

    layers: tuple[LayerShape, ...]
    data: str
    models: Mapping[str, str]
    rows: Mapping[str, int]
    compiler: str
    #: the study's own scores of made-up outputs: another value is another function
    scores: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def speak_to(log: Path) -> None:
    """All that this process and its children print goes to the end of that file."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def start(setup: Setup) -> None:
    """Initialise this process; called once in each worker before its first task."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to handle
    _die_with(setup.runner)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(message)s", force=True)
    warnings.simplefilter("ignore")
    from dse import legacy_keras  # noqa: F401 - before tensorflow

    import tensorflow as tf  # isort: skip

    tf.config.threading.set_intra_op_parallelism_threads(setup.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    library.use(setup.threads)
    _here.study, _here.store, _here.folder = cloudpickle.loads(setup.study), setup.store, setup.folder


def _die_with(runner: int) -> None:
    """Be killed when the process that forked this one dies, or the runner itself: no orphan goes on computing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _watch(lambda: _exists(runner))


def _watch(alive: Callable[[], bool]) -> None:
    """Be killed when the runner is gone."""

    def watch() -> None:
        while alive():
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def attend(runner: int, log: Path) -> None:
    """Initialise a process that does nothing but wait for tools; told to end, it ends its tool and clears up first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to handle
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    _watch(lambda: os.getppid() == runner)  # a dead runner that nobody has waited for still exists
    logging.basicConfig(filename=log, level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(message)s")


def _ready() -> tuple[Study, Store]:
    assert _here.study is not None
    assert _here.store is not None
    return _here.study, _here.store


@contextmanager
def _mortal() -> Iterator[None]:
    """End this process where its memory does not suffice: what comes next gets one that holds nothing."""
    try:
        yield
    except MemoryError:
        log.exception("out of memory; this worker ends, another takes its place")
        os._exit(OUT_OF_MEMORY)


@_mortal()
def look() -> Facts:
    """Load the data and look at the model and the tools; DseError where something is wrong."""
    from dse import evaluate
    from dse.nn import train

    study, _ = _ready()
    flow, every = evaluate.flow_of(study.workload), list(architectures(study))
    try:
        data = train.load_split(study.workload)
        layers = tuple(dict.fromkeys(layer for one in every for layer in flow.layers(one)))
        flow.check(study.space)
        compiler = compiler_version()
        _check_scores(study, data)
        probed = scores.probe(study.workload.scores, data, flow.outputs(every[0]) or data.outputs[0])
    except StageFailed as error:
        raise DseError(f"{error.message}\n{error.log}".strip()) from error
    models = {json.dumps(dict(one)): key_of("model", {"config": flow.identity(one)}) for one in every}
    rows = {name: len(getattr(data, name).y) for name in ("train", "validation", "test")}
    return Facts(layers, data.fingerprint, models, rows, compiler, probed)


@_mortal()
def prove() -> None:
    """Show with something small that everything works that a trial needs; DseError otherwise."""
    from dse import evaluate

    study, store = _ready()
    try:
        evaluate.flow_of(study.workload).prove(study.target, store)
    except StageFailed as error:
        raise DseError(f"{error.message}\n{error.log}".strip()) from error


@_mortal()
def begin() -> None:
    """Train the network that all designs of a study of one architecture begin from, while another worker proves."""
    from dse import together as room

    study, store = _ready()
    every = list(itertools.islice(architectures(study), 2))
    if isinstance(study.workload, Workload) and len(every) == 1:
        room.base(study.workload, every[0], store)


def _check_scores(study: Study, data: Split) -> None:
    """UsageError for objectives and limits on scores that these data do not have."""
    stated = scores.SCORES[data.task]
    others = {name for task in scores.SCORES.values() for name in task} - set(stated)
    for name in (*(goal.metric for goal in study.objectives), *(limit.metric for limit in study.limits)):
        if name in others:
            raise UsageError(f"{name} is no score of a {data.task}; objectives and limits may be on {', '.join(stated)}.")


def architectures(study: Study) -> Iterator[tuple[tuple[str, Scalar], ...]]:
    """All architectures of the study's space, up to ARCHITECTURES of them, the first values first."""
    domains = {name: v.values if isinstance(v, Domain) else (v,) for name, v in sorted(study.space.architecture.items())}
    for values in itertools.islice(itertools.product(*domains.values()), ARCHITECTURES):
        yield tuple(zip(domains, values, strict=True))


@_mortal()
def evaluate(trial: int, design: Design, at_once: int | None) -> Record:
    """One trial; `at_once` as in `together`."""
    from dse import evaluate as page
    from dse.nn import population

    population.use(at_once)
    return page.evaluate(trial, design, *_ready())


@_mortal()
def together(designs: Sequence[Design], at_once: int | None) -> Prepared:
    """The networks of many designs, trained before their trials; at most so many `at_once`, where memory did not hold more."""
    from dse import together as room
    from dse.nn import population

    population.use(at_once)
    with busy.telling(_here.folder):
        return room.together(designs, *_ready())


@_mortal()
def verify(record: Record) -> tuple[tuple[Measurement, ...], Failure | None]:
    """One design of the front, as it is built."""
    from dse import evaluate as page

    return page.verify(record, *_ready())
