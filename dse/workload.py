"""What is to be learned: the kinds of workload, and how networks are trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from dse.data import SHARES, Data, Rows, Split, split
from dse.design import Scalar
from dse.errors import UsageError
from dse.metrics import Metric, Score

__all__ = [
    "LARGEST",
    "SHARES",
    "Data",
    "Pretrained",
    "Problem",
    "Rows",
    "Split",
    "Training",
    "Trees",
    "Workload",
    "check_positive",
    "check_whole",
    "split",
]

#: Seeds of numpy, scikit-learn and tensorflow have 32 bits; half of them leave room for the trials that a sweep adds.
LARGEST = 2**31 - 1


def check_whole(name: str, value: Any, least: int) -> None:
    """UsageError where `value` is not a whole number from `least` to 2**31 - 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST:
        raise UsageError(f"{name} must be a whole number from {least} to {LARGEST}, got {value!r}.")


def check_positive(name: str, value: Any) -> None:
    """UsageError where `value` is not a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise UsageError(f"{name} must be a finite number above 0, got {value!r}.")


@dataclass(frozen=True, slots=True)
class Training:
    """How the float model is trained and how it is pruned and quantised afterwards.

    Adam; the loss is cross entropy on logits (one per class, or a single one for two classes), for a regression the mean
    squared error. `class_weights` multiply the loss of each class' rows: one number per class, or "balanced" for weights
    that make all classes count alike.

    `together`: the designs of a sweep that differ in compression alone are fine-tuned many at once, as one program; where the
    model holds what has no form for that, and with False, one by one through QKeras.
    """

    epochs: int = 30
    #: epochs of quantisation-aware fine-tuning; pruning ends after the first 60 % of them
    fine_tune_epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 3e-3
    seed: int = 0
    class_weights: tuple[float, ...] | Literal["balanced"] | None = None
    together: bool = True

    def __post_init__(self) -> None:
        if self.class_weights not in (None, "balanced"):
            if isinstance(self.class_weights, str) or not isinstance(self.class_weights, (tuple, list)):
                raise UsageError(f'class_weights must be one number per class or "balanced", got {self.class_weights!r:.80}.')
            for value in self.class_weights:
                check_positive("each of training class_weights", value)
            object.__setattr__(self, "class_weights", tuple(float(value) for value in self.class_weights))
        for name, least in (("epochs", 0), ("fine_tune_epochs", 0), ("batch_size", 1), ("seed", 0)):
            check_whole(f"training {name}", getattr(self, name), least)
        check_positive("training learning_rate", self.learning_rate)
        if not isinstance(self.together, bool):
            raise UsageError(f"training together must be True or False, got {self.together!r}.")

    def as_json(self) -> dict[str, Any]:
        """Plain values; class weights where there are any, `together` where it is so: older studies say nothing of it."""
        found = asdict(self) | {"together": self.together or None}
        return {name: value for name, value in found.items() if value is not None}


#: Hardware knobs of networks, and what they are where the space does not say.
NETWORK_HARDWARE: Mapping[str, Scalar | None] = {
    "reuse_factor": 1,
    "strategy": "latency",
    "io_type": "io_parallel",
    "clock_ns": None,
    "parallelization_factor": None,
    "fifo_depth": None,
}


@dataclass(frozen=True)
class Problem:
    """Data and its split: what all kinds of workload have. Each kind is a subclass, with the knobs that its designs have.

    `data()` returns Data. `exact` says that the emulation must equal the network's float64 reference on every row; `scores`
    are figures of one's own. A kind becomes figures by its `dse.flow.Flow`, which `dse.evaluate.flow_of` finds.
    """

    #: Knobs that a space of this kind must give a domain or value.
    needs: ClassVar[tuple[str, ...]] = ()
    #: Knobs that it may give one, with their values where it does not; None: designs then lack the knob.
    admits: ClassVar[Mapping[str, Scalar | None]] = {}

    data: Callable[[], Data]
    exact: bool = field(default=True, kw_only=True)
    split_seed: int = field(default=0, kw_only=True)
    scores: tuple[Score, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.scores, (tuple, list)) or not all(isinstance(score, Score) for score in self.scores):
            raise UsageError(f"workload: scores must be several of the kind Score in brackets, got {self.scores!r:.80}.")
        object.__setattr__(self, "scores", tuple(self.scores))
        names = [score.name for score in self.scores]
        if len(set(names)) < len(names):
            raise UsageError(f"workload: each score needs a name of its own, got {', '.join(names)}.")
        if not callable(self.data):
            raise UsageError(f"workload: data must be a function, without brackets; got {self.data!r:.80}.")
        check_whole("workload split_seed", self.split_seed, 0)

    def as_json(self) -> Mapping[str, Any]:
        """What can be said without loading the data or building the model."""
        found = {"exact": self.exact, "split_seed": self.split_seed}
        return found | ({"scores": [asdict(row) for row in self.metrics]} if self.scores else {})

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the figures of its own scores are, those of the test rows included."""
        return tuple(metric for score in self.scores for metric in score.metrics)


@dataclass(frozen=True)
class Workload(Problem):
    """A network that is trained for each design: pruned, and quantised while it is trained.

    `model(**architecture)` returns a float `tf_keras` model, Sequential or functional, that ends in logits (one per
    class, or one alone for two classes) or in a regression's values; its layers are quantised and pruned by their names.
    """

    needs: ClassVar[tuple[str, ...]] = ("weight_bits", "activation_bits")
    admits: ClassVar[Mapping[str, Scalar | None]] = {
        "sparsity": 0.0,
        "input_bits": 16,
        "learning_rate": None,
        **NETWORK_HARDWARE,
        "architecture": None,
    }

    model: Callable[..., Any]
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.model):
            raise UsageError(f"workload: model must be a function, without brackets; got {self.model!r:.80}.")

    def as_json(self) -> Mapping[str, Any]:
        """What can be said without loading the data or building the model."""
        return {"training": self.training.as_json(), **super().as_json()}


@dataclass(frozen=True)
class Trees(Problem):
    """Boosted trees, or a forest, that conifer converts: trained once per architecture, put into fixed point per design.

    `model(**architecture)` returns an unfitted XGBClassifier, GradientBoostingClassifier or RandomForestClassifier; numbers of
    trees, depths and learning rates are architecture knobs. `input_width` is the width of inputs and thresholds, which share
    one type (scale features alike), `result_width` that of leaves and sums; integer bits are fitted to the trees.
    """

    needs: ClassVar[tuple[str, ...]] = ("input_width", "result_width")
    admits: ClassVar[Mapping[str, Scalar | None]] = {"clock_ns": None, "architecture": None}

    model: Callable[..., Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.model):
            raise UsageError(f"workload: model must be a function, without brackets; got {self.model!r:.80}.")

    def as_json(self) -> Mapping[str, Any]:
        """What can be said without loading the data or building the model."""
        return {"kind": "trees", **super().as_json()}


@dataclass(frozen=True)
class Pretrained(Problem):
    """A trained model as it is: a file of Keras 2 or 3 or QKeras, quantised for each design and never trained.

    The model ends in one output per class, one logit for two classes, or a regression's values; a softmax or sigmoid at the end
    of a classifier is left out of what is built, which changes no answer. Weights are rounded to the nearest value of their
    type. A QKeras model has types of its own and takes no knobs of precision; any other needs at least `weight_width` and
    `result_width`.
    """

    admits: ClassVar[Mapping[str, Scalar | None]] = {
        **dict.fromkeys(("weight_width", "weight_integer", "result_width", "result_integer"), None),
        **dict.fromkeys(("input_width", "input_integer", "rounding", "saturation"), None),
        **NETWORK_HARDWARE,
    }

    model: str | Path

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.model, (str, Path)):
            raise UsageError(f"workload: model must be the path of a saved model, got {self.model!r:.80}.")

    def as_json(self) -> Mapping[str, Any]:
        """What can be said without loading the data or the model; the file's digest is known once it is looked at."""
        return {"kind": "pretrained", **super().as_json()}


def check_kind(name: str, value: Any, kind: type) -> None:
    """UsageError where a study's field is not of this kind."""
    if not isinstance(value, kind):
        names = " or ".join(one.__name__ for one in kind.__subclasses__()) if kind is Problem else kind.__name__
        raise UsageError(f"a study's {name} must be of the kind {names}, got {value!r:.80}.")


def check_known(name: str, value: Any, known: tuple[str, ...]) -> None:
    """UsageError for a name that is none of those that are known."""
    if value not in known:
        raise UsageError(f"{name} must be one of {', '.join(known)}, got {value!r}.")


def several(name: str, values: Any, kind: type) -> tuple[Any, ...]:
    """A study's field that holds several of a kind, as a tuple; UsageError for anything else."""
    if not isinstance(values, (tuple, list)):
        raise UsageError(f"a study's {name} must be several of the kind {kind.__name__} in brackets, got {values!r:.80}.")
    for value in values:
        check_kind(name, value, kind)
    return tuple(values)
