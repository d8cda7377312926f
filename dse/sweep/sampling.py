"""Which design comes next: the only module that knows Optuna.

What Optuna is told of a record:

    measured, within limits       COMPLETE, the objectives, constraints <= 0
    measured, over a limit        COMPLETE, the objectives, the relative excess > 0
    stopped early                 PRUNED, the excess > 0
    permanent failure             PRUNED, constraint `buildable` = 1
    passing failure               FAIL, which no sampler learns from

TPE's asks take longer with every trial (17 ms at 300 trials of ten knobs and three objectives, 170 at 4,000): it learns from
the best and the newest records alone. And the closer it comes to the front, the more often its best candidate is known already:
it proposes the best of those that are not. So ten times the trials take ten times the time.
"""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import TrialState

from dse.design import Design, Scalar
from dse.domains import Domain
from dse.errors import UsageError
from dse.goals import Goals
from dse.pareto import front
from dse.record import Record
from dse.space import Space
from dse.study import Study
from dse.sweep.proposals import Exhaustive, Proposals

#: Proposals of known designs in a row after which designs are drawn from those not yet seen.
PATIENCE = 20
#: Random draws before what is left of the space is searched in order.
DRAWS = 1000
#: Records that TPE learns from, and how many more there may be before the others are left out.
REMEMBERED, MORE = 300, 60


def proposals(study: Study, trials: int, seed: int) -> Proposals:
    """Who proposes the designs of a study whose space is resolved; UsageError where it cannot all be gone through.

    `auto` goes through the whole space where that takes no more than the trials asked for, and learns from the records with
    TPE otherwise.
    """
    size = study.space.size
    if study.sampler == "exhaustive" and size > trials:
        raise UsageError(
            f"sampler exhaustive goes through all {size:,} designs of the space, {trials:,} trials are asked for. "
            f"Ask for --trials {size}, narrow the space, or use --set sampler=auto."
        )
    if study.sampler == "exhaustive" or (study.sampler == "auto" and size <= trials):
        return Exhaustive(study.space)
    return Sampling(study.space, study.goals, "tpe" if study.sampler == "auto" else study.sampler, seed)


class Sampling(Proposals):
    """An in-memory Optuna study, rebuilt from records at every start: the records are the only truth."""

    def __init__(self, space: Space, goals: Goals, sampler: str, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        super().__init__(space)
        self.learns = sampler != "random"
        self._goals, self._random = goals, random.Random(seed)  # noqa: S311 - nothing secret
        self._free = space.free
        self._distributions = {name: _distribution(domain) for name, domain in self._free.items()}
        self._forgets, self._taught = sampler == "tpe", 0
        self._study = self._fresh(self._sampler(sampler, seed))
        self._trials: dict[str, optuna.Trial] = {}
        self._told: dict[str, Record] = {}

    def _fresh(self, sampler: optuna.samplers.BaseSampler) -> optuna.Study:
        return optuna.create_study(
            directions=["maximize" if o.direction == "max" else "minimize" for o in self._goals.objectives], sampler=sampler
        )

    def _sampler(self, name: str, seed: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            match name:
                case "tpe":
                    return _Tpe(self._met, seed)
                case "nsga2":
                    return optuna.samplers.NSGAIISampler(seed=seed, population_size=20)
        return optuna.samplers.RandomSampler(seed=seed)

    def _met(self, candidate: Mapping[str, float]) -> bool:
        """Whether a candidate, as Optuna's samplers hold it, is a design that was proposed or told of before."""
        if candidate.keys() != self._distributions.keys():  # one knob by itself is no design
            return False
        values = {name: distribution.to_external_repr(candidate[name]) for name, distribution in self._distributions.items()}
        return self._design(values).digest in self._seen

    def ask(self) -> Design | None:
        """A design that has not been proposed before; None when there is none left."""
        if self._forgets and self._taught > REMEMBERED + MORE:
            self._forget()
        for _ in range(PATIENCE):
            if len(self._seen) >= self.size:
                return None
            trial = self._study.ask(self._distributions)
            design = self._design(trial.params)
            if design.digest not in self._seen:
                self._trials[design.digest] = trial
                self.note(design)
                return design
            self._answer(trial, self._told.get(design.digest))
        left = self._unseen()
        if left is not None:
            self.note(left)
        return left

    def tell(self, record: Record) -> None:
        """Teach the sampler what became of a design, whoever proposed it."""
        self.note(record.design)
        self._told[record.design.digest] = record
        trial = self._trials.pop(record.design.digest, None)
        if trial is not None:
            self._answer(trial, record)
        else:
            self.replay([record])

    def replay(self, records: Iterable[Record]) -> None:
        """Add records of designs that this sampler did not propose; those outside the space are left out."""
        found = []
        for record in records:
            self.note(record.design)
            self._told[record.design.digest] = record
            values = self._space.values(record.design)
            if values is None:
                continue
            state, objectives = self._state(record)
            found.append(
                optuna.trial.create_trial(
                    state=state,
                    values=objectives,
                    params={name: _encoded(self._free[name], value) for name, value in values.items()},
                    distributions=self._distributions,
                    constraints=self._constraints(record),
                )
            )
        self._study.add_trials(found)
        self._taught += len(found)

    def _forget(self) -> None:
        """Go on with the records that are worth most. Designs under way are added when they are told of."""
        self._study, self._taught = self._fresh(self._study.sampler), 0
        self._trials.clear()
        self.replay(remembered(self._goals, list(self._told.values()), REMEMBERED))

    def _answer(self, trial: optuna.Trial, record: Record | None) -> None:
        if record is None:  # still being evaluated: nothing is known, so nothing is said
            self._study.tell(trial, state=TrialState.FAIL)
            return
        for name, value in self._constraints(record).items():
            trial.set_constraint(name, value)
        state, objectives = self._state(record)
        self._study.tell(trial, values=objectives, state=state)
        self._taught += 1

    def _state(self, record: Record) -> tuple[TrialState, list[float] | None]:
        if record.failure is not None:
            return (TrialState.FAIL if record.failure.passing else TrialState.PRUNED), None
        values = self._goals.values(record)
        if record.pruned or values is None:
            return TrialState.PRUNED, None
        return TrialState.COMPLETE, list(values)

    def _constraints(self, record: Record) -> dict[str, float]:
        """Every limit and `buildable`, for every trial: samplers compare trials by the same names."""
        found = {str(limit): 0.0 for limit in self._goals.limits} | self._goals.shortfalls(record)
        broken = record.failure is not None and not record.failure.passing
        return {**found, "buildable": 1.0 if broken else 0.0}

    def _design(self, parameters: Mapping[str, Any]) -> Design:
        return self._space.design({name: _decoded(self._free[name], value) for name, value in parameters.items()})

    def _unseen(self) -> Design | None:
        for _ in range(DRAWS):
            design = self._space.design({name: self._random.choice(d.values) for name, d in self._free.items()})
            if design.digest not in self._seen:
                return design
        return next((design for design in self._space.designs() if design.digest not in self._seen), None)


class _Tpe(optuna.samplers.TPESampler):
    """TPE that proposes the best of its candidates that were not `met` before; where all were, the best of them.

    Optuna has no public way to say so. Should this method be called otherwise one day, duplicates are proposed and answered as
    those of other samplers are; tests say so then.
    """

    def __init__(self, met: Callable[[Mapping[str, float]], bool], seed: int) -> None:
        super().__init__(seed=seed, multivariate=True, constant_liar=True)
        self._met = met

    def _compute_acquisition_func(self, samples: dict[str, np.ndarray], mpe_below: Any, mpe_above: Any) -> np.ndarray:
        found = super()._compute_acquisition_func(samples, mpe_below, mpe_above)
        for i in np.argsort(-found, kind="stable"):
            if not self._met({name: values[i].item() for name, values in samples.items()}):
                found[i] = np.inf
                break
        return found


def remembered(goals: Goals, records: Sequence[Record], most: int) -> list[Record]:
    """At most so many of the records, in their order: the newest half of that of the feasible front, then the newest of all."""
    rows = [i for i, record in enumerate(records) if goals.feasible(record)]
    points = np.array([goals.values(records[i]) for i in rows], dtype=np.float64).reshape(-1, len(goals.objectives))
    best = np.array(rows, int)[front(points * [objective.sign for objective in goals.objectives])]
    kept = set(best[-(most // 2) :].tolist())
    newest = (i for i in reversed(range(len(records))) if i not in kept)
    kept |= set(itertools.islice(newest, most - len(kept)))
    return [records[i] for i in sorted(kept)]


def _distribution(domain: Domain) -> BaseDistribution:
    """Numbers become their index, so that a list may grow between two runs; text becomes a category."""
    if domain.ordered:
        return IntDistribution(0, len(domain.values) - 1)
    return CategoricalDistribution(domain.values)


def _encoded(domain: Domain, value: Scalar) -> Any:
    return domain.values.index(value) if domain.ordered else value


def _decoded(domain: Domain, value: Any) -> Scalar:
    found: Scalar = domain.values[value] if domain.ordered else value
    return found
