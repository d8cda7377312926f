"""Hardware figures without a tool: closed forms over what will be built, with fitted prices and honest intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import UsageError
from dse.metrics import Judge, Measurement, Source
from dse.network import Network
from dse.parts import Part, part
from dse.synth.estimate import feasibility as attempts
from dse.synth.estimate.calibration import Calibration, Outcome, Pair, calibrate, pairs_of
from dse.synth.estimate.cost import FIGURES
from dse.synth.estimate.feasibility import Feasibility
from dse.synth.estimate.fit import Fit, shipped
from dse.synth.estimate.layer import figures
from dse.synth.estimate.tool import tool_for
from dse.synth.estimate.whole import Whole, whole

__all__ = ["Calibration", "Estimate", "Feasibility", "Outcome", "facts", "feasibility", "learn", "pairs_of"]

#: What the figures stand for: as high-level synthesis states them, or as logic synthesis leaves them.
STAGES = ("csynth", "netlist")


@dataclass(frozen=True)
class Estimate:
    """Figures as a vendor's tool would state them; needs neither a tool nor a project.

    `stage` "csynth": what high-level synthesis reports; "netlist": what logic synthesis makes of it (the ratio of published
    pairs, with its wide interval; no cycles). `resources` states a part that the table lacks, `calibration`, or
    the file that `dse calibrate` has written, corrects by figures of one's own tool.
    """

    stage: str = "csynth"
    resources: Part | None = None
    calibration: Calibration | str | None = None

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise UsageError(f"stage must be one of {', '.join(STAGES)}; got {self.stage!r}.")
        if isinstance(self.calibration, str):
            object.__setattr__(self, "calibration", Calibration.load(self.calibration))
        if not isinstance(self.calibration, Calibration | None):
            raise UsageError(f"calibration must be a Calibration or the path of one, got {self.calibration!r:.80}.")
        if self.calibration is not None and self.stage != "csynth":
            raise UsageError("a calibration already leads to its tool's figures; stage must be 'csynth' with it.")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the figures that it states."""
        return (*FIGURES, "latency_ns") if self.stage == "csynth" else tuple(shipped().ratios.get(self.stage, {}))

    @property
    def _learned(self) -> Calibration | None:
        assert not isinstance(self.calibration, str)  # read when this value was made
        return self.calibration

    def judge(self, part: str, clock_ns: float | None) -> Judge:
        """Who says it."""
        name = "" if self._learned is None else self._learned.name
        return Judge("estimate", self.stage, shipped().version, "estimated", part, clock_ns, name)

    def causes(self, network: Network) -> dict[str, Any]:
        """The network, the fit's version, and what is set here."""
        stated = None if self.resources is None else [self.resources.family, self.resources.resources]
        learned = None if self._learned is None else self._learned.as_json()
        head = {"network": network.digest, "version": shipped().version, "stage": self.stage}
        return {**head, "family": stated, "calibration": learned}

    def synthesize(self, network: Network, project: Path, folder: Path) -> Measurement:  # noqa: ARG002
        """The same as `estimate`; neither folder is touched."""
        return self.estimate(network)

    def estimate(self, network: Network) -> Measurement:
        """Figures in total and per layer, each with its grade and, in total, an interval.

        Grade "calibrated": the interval holds 90 % of what the calibration data's unseen shapes came to. "law": a closed form
        outside these data; the interval is what other sources missed by and claims no coverage. StageFailed("unsupported")
        names the layers that nothing supports, UsageError an unknown part.
        """
        fit = shipped()
        target = self.resources or part(network.part)
        found = whole(network, tool_for(network, target), fit)
        values, intervals, grades = self._stated(found, network, fit)
        return Measurement(
            source=Source("synthesize", "estimate", fit.version, "estimated"),
            values=values,
            judge=self.judge(network.part, network.clock_ns),
            layers={name: figures(layer.cost) for name, layer in found.layers.items()},
            intervals=intervals,
            grades=grades,
        )

    def _stated(
        self, found: Whole, network: Network, fit: Fit
    ) -> tuple[dict[str, float], dict[str, tuple[float, float]], dict[str, str]]:
        values: dict[str, float] = {}
        intervals: dict[str, tuple[float, float]] = {}
        grades: dict[str, str] = {}
        ratios: Mapping[str, tuple[float, float]] = fit.ratios.get(self.stage, {})
        for name in FIGURES if self.stage == "csynth" else tuple(ratios):
            value, score, grade = getattr(found.cost, name), found.scores[name], found.grade
            if self.stage != "csynth":
                ratio, spread = ratios[name]
                value, score, grade = value * ratio, score + spread, "law"
            learned = None if self._learned is None else self._learned.of(name)
            if learned is not None and learned.low <= round(value) <= learned.high:
                value, score, grade = learned.apply(value, fit.offsets[name]), learned.score, "calibrated"
            values[name], grades[name] = float(round(value)), grade
            intervals[name] = fit.interval(name, value, score)
        if "latency_cycles" in values:
            values["latency_ns"] = values["latency_cycles"] * network.clock_ns
            low, high = intervals["latency_cycles"]
            high = max(high, float(math.ceil(found.apart)))
            intervals["latency_cycles"] = low, high
            intervals["latency_ns"], grades["latency_ns"] = (
                (low * network.clock_ns, high * network.clock_ns),
                grades["latency_cycles"],
            )
        return values, intervals, grades


def learn(key: tuple[str, str, str, str], pairs: Sequence[Pair]) -> Outcome:
    """A calibration for (tool, version, level, part) from pairs of estimated and stated figures; see `calibrate`."""
    return calibrate(key, pairs, shipped().offsets)


def feasibility(network: Network) -> Feasibility | None:
    """The layer least likely to synthesise, by what became of known attempts; None where no layer is like any of them."""
    return attempts.feasibility(network, shipped())


def facts() -> dict[str, str]:
    """What the estimate rests on, for people: version, data, calibrated domains."""
    fit = shipped()
    return {"version": fit.version, "calibrated for": "; ".join(domain.name for domain in fit.domains)}
