"""Figures: their names, units and direction, and who said them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from dse.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Level = Literal["trained", "reference", "emulated", "estimated", "hls", "netlist", "routed"]
LEVELS: tuple[str, ...] = ("trained", "reference", "emulated", "estimated", "hls", "netlist", "routed")
Grade = Literal["calibrated", "law"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that a record may hold."""

    name: str
    unit: str
    #: "max": more is better, "min": less is better, "": neither
    better: Literal["max", "min", ""]
    meaning: str
    #: a count of things; shown without decimals
    whole: bool = False

    @property
    def sealed(self) -> bool:
        """True for figures of the test rows, which are for the front alone: no objective, no limit."""
        return self.name.endswith(("_test", "_test_n"))


_ROWS = (
    Metric("accuracy", "fraction", "max", "rows classified rightly, validation split"),
    Metric("accuracy_n", "rows", "", "validation rows that `accuracy` was measured on", whole=True),
    Metric("accuracy_float", "fraction", "", "accuracy of the unquantised, unpruned model, validation split"),
    Metric("accuracy_test", "fraction", "", "rows classified rightly, test split; never told to the search"),
    Metric("accuracy_test_n", "rows", "", "test rows that `accuracy_test` was measured on", whole=True),
    Metric("auc", "fraction", "max", "area under the ROC curve, one class against the rest, mean of classes; validation split"),
    Metric("auc_float", "fraction", "", "auc of the unquantised, unpruned model, validation split"),
    Metric("auc_test", "fraction", "", "the same for the test split; never told to the search"),
    Metric("mse", "squared", "min", "mean squared error of the outputs, in the targets' unit squared; validation split"),
    Metric("mse_n", "rows", "", "validation rows that `mse` was measured on", whole=True),
    Metric("mse_float", "squared", "", "mse of the unquantised, unpruned model, validation split"),
    Metric("mse_test", "squared", "", "the same for the test split; never told to the search"),
    Metric("mse_test_n", "rows", "", "test rows that `mse_test` was measured on", whole=True),
    Metric("r2", "fraction", "max", "share of the targets' variance that the outputs explain, their mean; validation split"),
    Metric("r2_float", "fraction", "", "r2 of the unquantised, unpruned model, validation split"),
    Metric("r2_test", "fraction", "", "the same for the test split; never told to the search"),
    Metric("agreement", "fraction", "", "validation rows where the emulation equals the float64 reference in every output"),
    Metric("agreement_test", "fraction", "", "the same for the test rows"),
    Metric("agreement_trained", "fraction", "", "validation rows where the emulation chooses the unquantised model's class"),
    Metric("agreement_trained_test", "fraction", "", "the same for the test rows"),
    Metric("difference_trained", "output", "", "largest difference of an output from the unquantised model's, validation rows"),
    Metric("difference_trained_test", "output", "", "the same for the test rows"),
    Metric("agreement_rtl", "fraction", "", "test bench rows where the simulated RTL gives the emulation's outputs"),
    Metric("agreement_rtl_n", "rows", "", "rows that `agreement_rtl` was measured on", whole=True),
    Metric("agreement_logic", "fraction", "", "rows where the unrolled adder graph gives the emulation's outputs"),
    Metric("agreement_logic_n", "rows", "", "rows that `agreement_logic` was measured on", whole=True),
    Metric("dsp", "blocks", "min", "DSP48 blocks", whole=True),
    Metric("lut", "LUT", "min", "look-up tables; Yosys: with the inverters that none has taken in", whole=True),
    Metric("carry", "CARRY4", "min", "carry chains of four bits", whole=True),
    Metric("ff", "FF", "min", "flip-flops", whole=True),
    Metric("bram_18k", "18-kbit blocks", "min", "block RAM; one 36-kbit tile counts as two", whole=True),
    Metric("uram", "blocks", "min", "UltraRAM blocks", whole=True),
    Metric("latency_cycles", "cycles", "min", "clock cycles from input to output, worst case", whole=True),
    Metric("interval_cycles", "cycles", "min", "initiation interval: cycles between two inputs, worst case", whole=True),
    Metric("stages", "stages", "", "pipeline stages of an unrolled design; cut by a delay model, not by a clock", whole=True),
    Metric("delay_units", "units", "", "the delay model's delay through an unrolled design, about one per adder; no time"),
    Metric("latency_ns", "ns", "min", "latency_cycles times the target clock (routed: the achieved clock)"),
    Metric("clock_estimated_ns", "ns", "min", "clock period that the tool expects or has reached"),
    Metric("wns_ns", "ns", "max", "worst negative slack; below 0 the clock is missed"),
    Metric("met_timing", "0 or 1", "max", "1 where the target clock is met", whole=True),
    Metric("power_w", "W", "min", "total on-chip power"),
)
METRICS: Mapping[str, Metric] = MappingProxyType({row.name: row for row in _ROWS})


def metric(name: str) -> Metric:
    """The metric of this name; UsageError with the known names otherwise."""
    return among(METRICS, name)


def among(known: Mapping[str, Metric], name: str) -> Metric:
    """The metric of this name among those of a study; UsageError with the known names otherwise."""
    try:
        return known[name]
    except KeyError:
        raise UsageError(f"metric must be one of {', '.join(known)}; got {name!r}.") from None


#: Names of figures as they may stand in a table, a file and a command.
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class Score:
    """A figure of one's own, to be an objective or limit like any other: `function(outputs, y)` returns a finite number.

    `outputs` (n, n_out) float64 are the emulated outputs (logits, or a regression's values), `y` is as in Rows. `better` is
    "max", "min" or "" (neither), `meaning` says in a few words what it is, `unit` in what ("" for none).
    """

    name: str
    function: Callable[[np.ndarray, np.ndarray], float]
    better: Literal["max", "min", ""]
    meaning: str
    unit: str = ""

    def __post_init__(self) -> None:
        named = isinstance(self.name, str) and _NAME.fullmatch(self.name) is not None
        if not named or self.name in METRICS or self.name.endswith(("_test", "_n", "_float")):
            raise UsageError(
                f"a score's name must be lower-case words joined by _, not end in _test, _n or _float, and not be one of "
                f"{', '.join(METRICS)}; got {self.name!r}."
            )
        if not callable(self.function):
            raise UsageError(f"score {self.name}: it needs a function of outputs and y, got {self.function!r:.80}.")
        if self.better not in ("max", "min", ""):
            raise UsageError(f'score {self.name}: better must be "max", "min" or "", got {self.better!r}.')
        if not self.meaning or not isinstance(self.meaning, str) or not isinstance(self.unit, str):
            raise UsageError(f"score {self.name}: meaning and unit must be text, and the meaning a few words.")

    @property
    def metrics(self) -> tuple[Metric, Metric]:
        """What the figures of the validation and of the test rows are."""
        found = Metric(self.name, self.unit, self.better, f"{self.meaning}; validation split")
        sealed = f"{self.meaning}; test split, never told to the search"
        return found, replace(found, name=f"{self.name}_test", better="", meaning=sealed)


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures come from: the stage and tool that made them and the store entry that holds the evidence."""

    stage: str
    tool: str
    version: str
    level: str
    key: str = ""

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level must be one of {LEVELS}, got {self.level!r}.")


@dataclass(frozen=True, slots=True)
class Judge:
    """Who said what a design costs; only figures of one judge may stand on one front.

    `clock_ns` is None where the clock period is a knob of the study; `calibration` names a fit to real figures, if any.
    """

    synthesizer: str
    tool: str
    version: str
    level: str
    part: str
    clock_ns: float | None
    calibration: str = ""

    @property
    def name(self) -> str:
        """One line, the same for the same judge: `estimate law-1 (estimated, xcu250-figd2104-2L-e, 5 ns)`."""
        clock = "clock swept" if self.clock_ns is None else f"{self.clock_ns:g} ns"
        fit = f", calibrated: {self.calibration}" if self.calibration else ""
        return f"{self.synthesizer}: {self.tool} {self.version} ({self.level}, {self.part}, {clock}{fit})"


Values = Mapping[str, float]


def check_values(values: Values, own: Collection[str] = ()) -> dict[str, float]:
    """A copy of `values` sorted by name; ValueError for an unknown name or a value that is not a finite number."""
    for name, value in values.items():
        if name not in METRICS and name not in own:
            raise ValueError(f"{name!r} is not a metric; known: {', '.join((*METRICS, *own))}.")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, got {value!r}.")
    return dict(sorted(values.items()))


@dataclass(frozen=True)
class Measurement:
    """Figures that one source has stated; hardware figures also name their judge.

    `layers` holds the same metrics per layer (or module) where the source tells them, `intervals` a lower and upper bound
    per metric and `grades` how well each figure is supported ("calibrated" or "law"), both for estimates. `own` says what those
    figures are that a study has defined itself: whoever reads the record needs no study file.
    """

    source: Source
    values: Values
    judge: Judge | None = None
    layers: Mapping[str, Values] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    grades: Mapping[str, str] = field(default_factory=dict)
    own: tuple[Metric, ...] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "values", check_values(self.values, [row.name for row in self.own]))
        put(self, "layers", {name: check_values(row) for name, row in self.layers.items()})
        for name, (low, high) in self.intervals.items():
            check_values({name: low})
            check_values({name: high})
            if low > high:
                raise ValueError(f"the interval of {name} must have its lower bound first, got {(low, high)}.")
        put(self, "intervals", {name: (low, high) for name, (low, high) in self.intervals.items()})

    def metric(self, name: str) -> Metric:
        """What the figure of this name is; UsageError where this measurement cannot hold one."""
        return among({**METRICS, **{row.name: row for row in self.own}}, name)

    def as_json(self) -> dict[str, Any]:
        """Plain dicts and lists; parts that are empty are left out."""
        found: dict[str, Any] = {"source": asdict(self.source), "values": dict(self.values)}
        if self.judge is not None:
            found["judge"] = asdict(self.judge)
        if self.layers:
            found["layers"] = {name: dict(row) for name, row in self.layers.items()}
        if self.intervals:
            found["intervals"] = {name: list(pair) for name, pair in self.intervals.items()}
        if self.grades:
            found["grades"] = dict(self.grades)
        if self.own:
            found["metrics"] = [asdict(row) for row in self.own]
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Measurement:
        """The inverse of `as_json`; ValueError, KeyError or TypeError where `found` is not one."""
        return cls(
            source=Source(**found["source"]),
            values=found["values"],
            judge=Judge(**found["judge"]) if "judge" in found else None,
            layers=found.get("layers", {}),
            intervals={name: (pair[0], pair[1]) for name, pair in found.get("intervals", {}).items()},
            grades=found.get("grades", {}),
            own=tuple(Metric(**row) for row in found.get("metrics", ())),
        )
