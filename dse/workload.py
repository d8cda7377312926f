"""What is to be learned: data and its split; and the network to be learned on it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from dse.design import Scalar
from dse.errors import DseError, UsageError

if TYPE_CHECKING:
    import numpy as np

#: Shares of training, validation and test rows.
SHARES = (0.6, 0.2, 0.2)
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


@dataclass(frozen=True)
class Data:
    """Labelled rows: `x` (n, ...) float, `y` (n,) integer class labels 0..k-1; DseError for anything else."""

    x: np.ndarray
    y: np.ndarray

    def __post_init__(self) -> None:
        import numpy as np

        try:
            x, y = np.asarray(self.x, dtype=np.float32), np.asarray(self.y)
        except (TypeError, ValueError) as error:
            raise DseError(f"data: x must be an array of numbers and y one of labels; numpy says: {error}.") from error
        if x.ndim < 2 or y.ndim != 1 or len(x) != len(y) or len(y) == 0:
            raise DseError(f"data: x must be (n, ...) and y (n,) with n above 0, got x {x.shape} and y {y.shape}.")
        if not np.isfinite(x).all():
            rows = np.flatnonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1))
            raise DseError(f"data: {len(rows)} rows of x hold NaN or infinity, the first is row {rows[0]}. Clean them first.")
        if not np.issubdtype(y.dtype, np.integer):
            raise DseError(f"data: y must be integer class labels from 0, got {y.dtype} such as {y[0]!r}.")
        if y.min() < 0:
            raise DseError(f"data: y must be integer class labels from 0, got labels from {y.min()} to {y.max()}.")
        counts = np.bincount(y)
        if len(counts) < 2 or counts.min() < 5:
            raise DseError(f"data: every class 0..{len(counts) - 1} needs at least 5 rows to be split, got {counts.tolist()}.")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y.astype(np.int64))

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.y.max()) + 1


class Rows(NamedTuple):
    """Some of the rows: `x` (n, ...) float32, `y` (n,) int64."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Split:
    """Rows by purpose: training, validation (what the search sees) and test (only for the front)."""

    train: Rows
    validation: Rows
    test: Rows
    classes: int
    fingerprint: str


def split(data: Data, seed: int) -> Split:
    """Stratified 60/20/20 split; the fingerprint is a SHA-256 over all values and which row went where."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(data.y))
    train, rest = train_test_split(rows, train_size=SHARES[0], random_state=seed, stratify=data.y)
    validation, test = train_test_split(rest, train_size=0.5, random_state=seed, stratify=data.y[rest])
    digest = hashlib.sha256(f"{data.x.shape}{data.x.dtype}".encode())
    for array in (data.x, data.y, train, validation, test):
        digest.update(np.ascontiguousarray(array).tobytes())
    parts = [Rows(data.x[chosen], data.y[chosen]) for chosen in (train, validation, test)]
    return Split(parts[0], parts[1], parts[2], data.classes, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Training:
    """How the float model is trained and how it is pruned and quantised afterwards (Adam, cross entropy on logits)."""

    epochs: int = 30
    #: epochs of quantisation-aware fine-tuning; pruning ends after the first 60 % of them
    fine_tune_epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 3e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 0), ("fine_tune_epochs", 0), ("batch_size", 1), ("seed", 0)):
            check_whole(f"training {name}", getattr(self, name), least)
        check_positive("training learning_rate", self.learning_rate)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


#: Hardware knobs of networks, and what they are where the space does not say.
NETWORK_HARDWARE: Mapping[str, Scalar | None] = {
    "reuse_factor": 1,
    "strategy": "latency",
    "io_type": "io_parallel",
    "clock_ns": None,
}


@dataclass(frozen=True)
class Problem:
    """Data and its split: what all kinds of workload have. Each kind is a subclass, with the knobs that its designs have.

    `data()` returns Data. `exact` says that the emulation must equal the network's float64 reference on every row. A kind
    becomes figures by its `dse.flow.Flow`, which `dse.evaluate.flow_of` finds.
    """

    #: Knobs that a space of this kind must give a domain or value.
    needs: ClassVar[tuple[str, ...]] = ()
    #: Knobs that it may give one, with their values where it does not; None: designs then lack the knob.
    admits: ClassVar[Mapping[str, Scalar | None]] = {}

    data: Callable[[], Data]
    exact: bool = field(default=True, kw_only=True)
    split_seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        if not callable(self.data):
            raise UsageError(f"workload: data must be a function, without brackets; got {self.data!r:.80}.")
        check_whole("workload split_seed", self.split_seed, 0)

    def as_json(self) -> Mapping[str, Any]:
        """What can be said without loading the data or building the model."""
        return {"exact": self.exact, "split_seed": self.split_seed}


@dataclass(frozen=True)
class Workload(Problem):
    """A network that is trained for each design: pruned, and quantised while it is trained.

    `model(**architecture)` returns a float `tf_keras` model, Sequential or functional, that ends in logits; its layers are
    quantised and pruned by their names.
    """

    needs: ClassVar[tuple[str, ...]] = ("weight_bits", "activation_bits")
    admits: ClassVar[Mapping[str, Scalar | None]] = {
        "sparsity": 0.0,
        "input_bits": 16,
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
