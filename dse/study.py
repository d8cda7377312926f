"""A study: what is asked for, as a value. Making one imports no tensorflow and does nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

from dse import answerable, store
from dse.design import ARCHITECTURE, Scalar
from dse.errors import UsageError
from dse.goals import Goals, Limit, Objective
from dse.metrics import Judge
from dse.parts import Part, part
from dse.space import Space
from dse.synth import Synthesizer
from dse.synth.estimate import Estimate
from dse.synth.open import Adders, Open
from dse.workload import Problem, check_kind, check_known, check_positive, check_whole, several

#: Figures of every trial, whoever judges the hardware; which of the scores depends on the data.
EMULATED = ("accuracy", "auc", "mse", "r2", "agreement")
#: Those that draw from the space, and all that a study may name.
DRAWING = ("tpe", "nsga2", "random")
SAMPLERS = ("auto", "exhaustive", *DRAWING)
#: Which designs are compiled and emulated: every one, or those of the front, the others being scored by the float64 reference.
EMULATE = ("all", "front")
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

    `first` holds designs, as flat knob values, that are tried before the sampler's own. `sampler` "auto" goes through the whole
    space where it is no larger than `trials` ("exhaustive"), and takes "tpe" otherwise. A design that breaks a limit on
    accuracy, or on another score, is not synthesised. With `emulate` "front" designs are scored by the float64 reference of
    their network, and only those that reach the front are converted, compiled and emulated, as they are built. A trial that
    takes longer than `timeout_s` seconds is ended; a vendor's tool has limits of its own (`Vitis(terms=...)`), which come on
    top.
    """

    name: str
    workload: Problem
    space: Space
    target: Target
    objectives: tuple[Objective, ...] = DEFAULT_OBJECTIVES
    limits: tuple[Limit, ...] = ()
    synthesizer: Synthesizer = field(default_factory=Estimate)
    first: tuple[Mapping[str, Scalar], ...] = ()
    sampler: str = "auto"
    trials: int = 60
    seed: int = 0
    timeout_s: float = 3600.0
    emulate: str = "all"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name) or self.name.strip(". ") == "":
            raise UsageError(f"a study's name is the name of its folder: text without slashes, got {self.name!r}.")
        if self.name == store.FOLDER:
            raise UsageError(f"a study cannot be called {self.name!r}: its folder would be the store's. Choose another name.")
        for name, kind in _KINDS.items():
            check_kind(name, getattr(self, name), kind)
        for name, kind in _MANY.items():
            object.__setattr__(self, name, several(name, getattr(self, name), kind))
        object.__setattr__(self, "space", limited(self.space, self.workload))
        for name, known in (("sampler", SAMPLERS), ("emulate", EMULATE)):
            check_known(name, getattr(self, name), known)
        if not self.objectives:
            raise UsageError(f"study {self.name}: it needs at least one objective, such as Objective('accuracy').")
        self._know_scores()
        names = [objective.metric for objective in self.objectives]
        if len(set(names)) < len(names):
            raise UsageError(f"study {self.name}: each metric can be an objective once, got {', '.join(names)}.")
        for limit in self.limits:
            limit.bound(self.target.resources.resources)
        if isinstance(self.synthesizer, Estimate) and isinstance(self.target.part, Part):
            object.__setattr__(self, "synthesizer", replace(self.synthesizer, resources=self.target.part))
        self._check_emulate([*names, *(limit.metric for limit in self.limits)])
        self._check_figures([*names, *(limit.metric for limit in self.limits)])
        answerable.check(self.synthesizer, self.space)
        check_whole("trials", self.trials, 1)
        check_whole("seed", self.seed, 0)
        check_positive("timeout_s", self.timeout_s)

    def _know_scores(self) -> None:
        """Give objectives on the workload's own scores their direction; UsageError for those that have none."""
        better = {metric.name: metric.better for metric in self.workload.metrics}
        found = []
        for objective in self.objectives:
            asked = objective.direction or better.get(objective.metric, "")
            if asked == "" and objective.metric in better:
                raise UsageError(f'objective {objective.metric}: neither more nor less is better; give "max" or "min".')
            found.append(replace(objective, direction=asked))
        object.__setattr__(self, "objectives", tuple(found))

    def _check_figures(self, names: list[str]) -> None:
        """UsageError for objectives and limits on what the search may not see or the estimate never states."""
        known = self.emulated + self.synthesizer.metrics if isinstance(self.synthesizer, (Estimate, Adders, Open)) else None
        for name in names:
            if self.goals.metric(name).sealed:
                raise UsageError(f"{name} is of the test rows, which the search never sees; use {name.removesuffix('_test')}.")
            if known is not None and name not in known:
                who = "no estimate" if isinstance(self.synthesizer, Estimate) else "no open synthesis"
                raise UsageError(f"{name} is stated by {who}; objectives and limits may be on {', '.join(known)}.")

    def _check_emulate(self, names: list[str]) -> None:
        """UsageError for what cannot be known of designs that are not emulated."""
        if self.emulate == "all":
            return
        if not self.workload.exact:
            raise UsageError(
                'emulate="front" scores designs by the float64 reference of their network, which a workload with exact=False '
                'need not equal. Use emulate="all".'
            )
        if not isinstance(self.synthesizer, Estimate):
            raise UsageError(
                'emulate="front" writes the projects of the front alone, and this synthesizer needs one of every design. '
                'Let estimates judge and take the front further with `dse synth`, or use emulate="all".'
            )
        if "agreement" in names:
            raise UsageError('agreement is known of emulated designs alone; emulate="front" cannot search by it.')

    @property
    def emulated(self) -> tuple[str, ...]:
        """The figures that a trial has before its hardware is judged."""
        return (*EMULATED, *(score.name for score in self.workload.scores))

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
        return Goals(self.objectives, self.limits, self.judge, self.target.resources.resources, self.workload.metrics)

    def hopeless(self, values: Mapping[str, float]) -> str:
        """The limit on a score that these scores already break ("" where none): the rest need not be measured."""
        for limit in self.limits:
            if limit.metric in values and limit.metric in self.emulated:
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


def limited(space: Space, problem: Problem) -> Space:
    """The space with the knobs of one kind of workload: those that it needs, and those that it admits with their defaults.

    Knobs of other kinds that were left at their defaults become None. UsageError for one that was set, or a missing one.
    """
    changed: dict[str, Any] = {}
    kind, known = type(problem).__name__, (*problem.needs, *problem.admits)
    for f in fields(space):
        value = getattr(space, f.name)
        if f.name in known:
            changed[f.name] = problem.admits.get(f.name) if value is None else value
        elif value in (None, {}, f.default):
            changed[f.name] = {} if f.name == ARCHITECTURE else None
        else:
            raise UsageError(f"{f.name} is no knob of a {kind}; its knobs: {', '.join(known)}.")
    missing = [name for name in problem.needs if changed[name] is None]
    if missing:
        raise UsageError(f"the space of a {kind} needs {', '.join(missing)}; its knobs: {', '.join(known)}.")
    return replace(space, **changed)


def _described(synthesizer: Synthesizer) -> dict[str, Any]:
    """Its kind and options; those that change no figure (limits of a run, how many at once) are fields not compared."""
    options: dict[str, Any] = {}
    names: list[str] = [row.name for row in fields(synthesizer) if row.compare] if is_dataclass(synthesizer) else []
    for name in names:
        value = getattr(synthesizer, name)
        options[name] = _described(value) if isinstance(value, Synthesizer) else value
    return {"kind": type(synthesizer).__name__, "options": options}


#: What the fields of a study must be, and what the members of those that hold several.
_KINDS: dict[str, type] = {"workload": Problem, "space": Space, "target": Target, "synthesizer": Synthesizer}
_MANY: dict[str, type] = {"objectives": Objective, "limits": Limit, "first": Mapping}
