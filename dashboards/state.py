"""What a page shows, as a value that fits into its address: a view can be sent to a colleague."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dse.errors import UsageError
from dse.goals import Goals, Limit
from dse.metrics import METRICS, Judge
from dse.parts import part

TABS = ("front", "design", "search")
SCALES = ("", "log", "linear")
#: What may stand in an address under these names; under _NAMED a word, under _FREE anything: it is looked up before it is used.
_CHOICES: Mapping[str, Collection[str]] = {"xscale": SCALES, "yscale": SCALES, "tab": TABS}
_NAMED = ("x", "y", "z", "best")
_FREE = ("run", "judge", "part", "color", "symbol", "others", "sort", "filter")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,80}")
#: Characters of one value of an address that are looked at.
LONGEST = 400
_BUDGET = re.compile(r"(?P<number>-?(?:[0-9][0-9,_]*\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+))\s*(?P<unit>%|k|m)?", re.IGNORECASE)
#: Figures that people type in per cent of 1.
FRACTIONS = tuple(name for name, metric in METRICS.items() if metric.unit == "fraction")
_SCALE = {"k": 1e3, "m": 1e6}


@dataclass(frozen=True)
class State:
    """Empty texts and None: the page's own choice.

    `budgets` holds what was typed for each metric that has a budget of its own: "5000", "40 %", or "" for none at all, in
    the place of the study's limits on this metric.
    """

    run: str = ""
    judge: str = ""
    part: str = ""
    tab: str = TABS[0]
    x: str = ""
    y: str = ""
    z: str = ""
    xscale: str = ""
    yscale: str = ""
    color: str = ""
    symbol: str = ""
    others: str = ""
    best: str = ""
    trial: int | None = None
    other: int | None = None
    sort: str = ""
    filter: str = ""
    budgets: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """The address's query, without what is the page's own choice; "" where nothing was chosen."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "budgets"}
        plain = State()
        pairs = [(name, str(value)) for name, value in named.items() if value != getattr(plain, name)]
        pairs += [(f"budget.{name}", text) for name, text in self.budgets.items()]
        return f"?{urlencode(pairs)}" if pairs else ""

    @classmethod
    def read(cls, query: str) -> State:
        """The state of an address; what makes no sense in it is passed over."""
        given: dict[str, Any] = {}
        budgets: dict[str, str] = {}
        for name, text in parse_qsl(query.lstrip("?")[:20_000], keep_blank_values=True):
            value = text[:LONGEST]
            if name.startswith("budget.") and _WORD.fullmatch(name.removeprefix("budget.")):
                budgets[name.removeprefix("budget.")] = value
            elif name in ("trial", "other") and re.fullmatch(r"[0-9]{1,15}", value):
                given[name] = int(value)
            elif value in _CHOICES.get(name, ()) or name in _FREE or (name in _NAMED and _WORD.fullmatch(value)):
                given[name] = value
        return cls(**given, budgets=budgets)

    @classmethod
    def of(cls, controls: Mapping[str, object]) -> State:
        """The state of a page's controls; those that are empty stand for the page's own choice."""
        given = dict(controls)
        budgets = given.pop("budgets", {})
        pairs = [(name, str(value)) for name, value in given.items() if value not in (None, "", [])]
        if isinstance(budgets, Mapping):
            pairs += [(f"budget.{name}", str(text)) for name, text in budgets.items() if isinstance(text, str)]
        return cls.read(urlencode(pairs))


def read_budget(
    text: str, metric: str, resources: Mapping[str, int], *, most: bool, fractions: Collection[str] = FRACTIONS
) -> Limit | None:
    """The limit that a person types: "5000", "5,000", "5k", "40 %"; None for an empty text, UsageError for another.

    Per cent are of the part's resource, or of 1 for fractions such as accuracy. `most`: an upper bound.
    """
    cleaned = text.strip().lstrip("<>=≤≥").strip()
    if not cleaned:
        return None
    found = _BUDGET.fullmatch(cleaned)
    if found is None:
        hint = "40 %" if metric in resources or metric in fractions else "5k"
        raise UsageError(f"{metric}: {text[:40]!r} is no number; write 5000, or {hint}.")
    number, unit = float(found["number"].replace(",", "").replace("_", "")), (found["unit"] or "").lower()
    if not math.isfinite(number):
        raise UsageError(f"{metric}: {text[:40]!r} is too large.")
    if unit == "%" and metric in fractions:
        number /= 100
    elif unit == "%":
        if metric not in resources:
            raise UsageError(f"{metric}: per cent only of {', '.join(resources) or 'a part whose resources are known'}.")
        return Limit(metric, at_most_percent=number)
    number *= _SCALE.get(unit, 1.0)
    return Limit(metric, at_most=number) if most else Limit(metric, at_least=number)


def bounded_above(metric: str, goals: Goals) -> bool:
    """Whether a budget on this metric is an upper one: as the study's limit is, else by the objective, else by the metric."""
    for limit in goals.limits:
        if limit.metric == metric:
            return limit.at_least is None
    for objective in goals.objectives:
        if objective.metric == metric:
            return objective.direction == "min"
    return goals.metric(metric).better != "max"


def under(state: State, base: Goals, judge: Judge) -> tuple[Goals, dict[str, str]]:
    """The study's goals with the judge, part and budgets of the page, and what is wrong with a part or budget, by name.

    A budget takes the place of the study's limits on its metric, and keeps how sure they want to be; one that cannot be read
    leaves them as they are.
    """
    wrong: dict[str, str] = {}
    resources = base.resources
    if state.part:
        try:
            resources = part(state.part).resources
        except UsageError:
            wrong["part"] = f"{state.part[:60]} is not in the table of parts; the study's part counts."
    limits = list(base.limits)
    fractions = [name for name, metric in base.metrics.items() if metric.unit == "fraction"]
    for metric, text in state.budgets.items():
        if metric not in base.metrics:
            continue  # a figure of another study
        try:
            budget = read_budget(text, metric, resources, most=bounded_above(metric, base), fractions=fractions)
        except UsageError as error:
            wrong[metric] = str(error)
            continue
        sure = next((limit.confidence for limit in base.limits if limit.metric == metric), None)
        limits = [limit for limit in limits if limit.metric != metric]
        if budget is not None:
            limits.append(replace(budget, confidence=sure))
    usable = []
    for limit in limits:
        try:
            limit.bound(resources)
            usable.append(limit)
        except UsageError as error:
            wrong[limit.metric] = str(error)
    return replace(base, limits=tuple(usable), judge=judge, resources=resources), wrong
