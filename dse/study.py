"""A study: what is asked for, as a value. Making one imports no tensorflow and does nothing."""

from __future__ import annotations

import difflib
import json
import re
import runpy
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from dse import store
from dse.design import Scalar
from dse.errors import DseError, UsageError
from dse.goals import Goals, Limit, Objective
from dse.metrics import Judge, metric
from dse.parts import Part, part
from dse.space import Space
from dse.synth import Synthesizer
from dse.synth.estimate import Estimate
from dse.workload import Training, Workload, check_positive, check_whole

SAMPLERS = ("tpe", "nsga2", "random")
#: A study's name is the name of its folder.
NAME = re.compile(r"[^/\\\0]{1,100}")


@dataclass(frozen=True, slots=True)
class Target:
    """The FPGA part, by its full name or as a Part with its resources, and the clock period."""

    part: str | Part
    clock_ns: float = 5.0

    def __post_init__(self) -> None:
        if isinstance(self.clock_ns, bool) or not isinstance(self.clock_ns, (int, float)) or not 0 < self.clock_ns < 1e4:
            raise UsageError(f"target clock_ns must be a clock period in ns, above 0 and below 10000; got {self.clock_ns!r}.")
        object.__setattr__(self, "clock_ns", float(self.clock_ns))
        _ = self.resources

    @property
    def resources(self) -> Part:
        """The part's row in the table of parts, or the Part that was given; UsageError for an unknown name."""
        return self.part if isinstance(self.part, Part) else part(self.part)

    @property
    def name(self) -> str:
        """The part's full name, as hls4ml and the vendor tools want it."""
        return self.resources.name


DEFAULT_OBJECTIVES = (Objective("accuracy"), Objective("dsp"), Objective("lut"), Objective("latency_ns"))


@dataclass(frozen=True)
class Study:
    """What to explore, on what, for what, and who judges the hardware.

    `first` holds designs, as flat knob values, that are tried before the sampler's own. A design whose accuracy is below a
    limit on accuracy is not synthesised. A trial that takes longer than `timeout_s` seconds is ended; a vendor's
    tool has limits of its own (`Vitis(terms=...)`), which come on top.
    """

    name: str
    workload: Workload
    space: Space
    target: Target
    objectives: tuple[Objective, ...] = DEFAULT_OBJECTIVES
    limits: tuple[Limit, ...] = ()
    synthesizer: Synthesizer = field(default_factory=Estimate)
    first: tuple[Mapping[str, Scalar], ...] = ()
    sampler: str = "tpe"
    trials: int = 60
    seed: int = 0
    timeout_s: float = 3600.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name) or self.name.strip(". ") == "":
            raise UsageError(f"a study's name is the name of its folder: text without slashes, got {self.name!r}.")
        if self.name == store.FOLDER:
            raise UsageError(f"a study cannot be called {self.name!r}: its folder would be the store's. Choose another name.")
        for name, kind in _KINDS.items():
            _check_kind(name, getattr(self, name), kind)
        for name, kind in _MANY.items():
            object.__setattr__(self, name, _several(name, getattr(self, name), kind))
        if self.sampler not in SAMPLERS:
            raise UsageError(f"sampler must be one of {', '.join(SAMPLERS)}, got {self.sampler!r}.")
        if not self.objectives:
            raise UsageError(f"study {self.name}: it needs at least one objective, such as Objective('accuracy').")
        names = [objective.metric for objective in self.objectives]
        if len(set(names)) < len(names):
            raise UsageError(f"study {self.name}: each metric can be an objective once, got {', '.join(names)}.")
        for limit in self.limits:
            limit.bound(self.target.resources.resources)
        check_whole("trials", self.trials, 1)
        check_whole("seed", self.seed, 0)
        check_positive("timeout_s", self.timeout_s)

    @property
    def judge(self) -> Judge:
        """Who judges the hardware; the clock is None where it is a knob."""
        return self.synthesizer.judge(self.target.name, self.fixed_clock_ns)

    @property
    def fixed_clock_ns(self) -> float | None:
        """The clock period of every design; None where it is a knob."""
        return self.target.clock_ns if self.space.clock_ns is None else None

    @property
    def goals(self) -> Goals:
        """Objectives, limits, judge and the part's resources."""
        return Goals(self.objectives, self.limits, self.judge, self.target.resources.resources)

    def hopeless(self, values: Mapping[str, float]) -> str:
        """The accuracy limit that these figures already break ("" where none): the rest need not be measured."""
        for limit in self.limits:
            if metric(limit.metric).unit == "fraction" and limit.metric in values:
                over = limit.shortfall(values[limit.metric], {})
                if over > 0:
                    return str(limit)
        return ""

    def as_json(self) -> dict[str, Any]:
        """What defines the sweep, as plain values; the space must be resolved. Trials, seed and sampler may change freely."""
        return {
            "workload": self.workload.as_json(),
            "space": self.space.as_json(),
            "part": asdict(self.target.resources),
            "clock_ns": self.target.clock_ns,
            "objectives": [asdict(objective) for objective in self.objectives],
            "limits": [asdict(limit) for limit in self.limits],
            "synthesizer": _described(self.synthesizer),
            "first": [dict(values) for values in self.first],
        }


def _described(synthesizer: Synthesizer) -> dict[str, Any]:
    """Its kind and options; those that change no figure (limits of a run, how many at once) are fields not compared."""
    options: dict[str, Any] = {}
    names: list[str] = [row.name for row in fields(synthesizer) if row.compare] if is_dataclass(synthesizer) else []
    for name in names:
        value = getattr(synthesizer, name)
        options[name] = _described(value) if isinstance(value, Synthesizer) else value
    return {"kind": type(synthesizer).__name__, "options": options}


#: What the fields of a study must be, and what the members of those that hold several.
_KINDS: dict[str, type] = {"workload": Workload, "space": Space, "target": Target, "synthesizer": Synthesizer}
_MANY: dict[str, type] = {"objectives": Objective, "limits": Limit, "first": Mapping}


def _check_kind(name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise UsageError(f"a study's {name} must be of the kind {kind.__name__}, got {value!r:.80}.")


def _several(name: str, values: Any, kind: type) -> tuple[Any, ...]:
    if not isinstance(values, (tuple, list)):
        raise UsageError(f"a study's {name} must be several of the kind {kind.__name__} in brackets, got {values!r:.80}.")
    for value in values:
        _check_kind(name, value, kind)
    return tuple(values)


def load(path: Path, changes: tuple[str, ...] = ()) -> Study:
    """The STUDY of a study file, with `KEY=VALUE` changes applied; UsageError where the file is missing or raises."""
    if not path.is_file():
        raise UsageError(f"{path}: no such study file. `dse new NAME` is not needed to start: see studies/digits.py.")
    try:
        found = runpy.run_path(str(path), run_name="dse_study").get("STUDY")
    except DseError as error:
        raise UsageError(f"{path}{_line(error, path)}: {error}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"{path}{_line(error, path)} raised {type(error).__name__}: {error}{_known(error)}") from error
    if not isinstance(found, Study):
        raise UsageError(f"{path}: a study file defines STUDY = Study(...), got {type(found).__name__}.")
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise UsageError(f"--set wants KEY=VALUE, such as target.clock_ns=3; got {change!r}.")
        found = _changed(found, key.split("."), value, key)
    return found


def _line(error: BaseException, path: Path) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if not lines and isinstance(error, SyntaxError):
        lines = [error.lineno]
    return f", line {lines[-1]}" if lines else ""


def _known(error: BaseException) -> str:
    """For a misspelt argument of one of our values: what it might have been, and all that there are."""
    found = re.match(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", str(error))
    kinds = {kind.__name__: kind for kind in (Study, Space, Target, Workload, Training, Objective, Limit, Part)}
    if found is None or found[1] not in kinds:
        return ""
    names = [f.name for f in fields(kinds[found[1]])]
    near = difflib.get_close_matches(found[2], names, 1)
    guess = f" Did you mean {near[0]}?" if near else ""
    return f".{guess} {found[1]} takes {', '.join(names)}."


def _changed(value: Any, keys: list[str], text: str, whole: str) -> Any:
    """`value` with the field that the dotted key names replaced by the text, read as JSON where it is JSON."""
    names = [f.name for f in fields(value)] if is_dataclass(value) else []
    if keys[0] not in names:
        raise UsageError(f"--set {whole}: there is no {keys[0]!r}; there are {', '.join(names) or 'no fields'}.")
    if len(keys) > 1:
        return replace(value, **{keys[0]: _changed(getattr(value, keys[0]), keys[1:], text, whole)})
    try:
        new = json.loads(text)
    except ValueError:
        new = text
    try:
        return replace(value, **{keys[0]: new})
    except TypeError as error:
        raise UsageError(f"--set {whole}={text}: {error}") from error
