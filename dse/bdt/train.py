"""The study's classifier: built, checked before minutes are spent, fitted, and taken apart into plain arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dse import scores
from dse.bdt.ensemble import Ensemble
from dse.design import Scalar
from dse.errors import DseError, StageFailed
from dse.nn.train import load_split, versions, versions_if_present
from dse.workload import Split, Trees

VERSION = 1
#: Classifiers that are taken, and the distribution that each is of.
KINDS = {
    "XGBClassifier": "xgboost-cpu",
    "GradientBoostingClassifier": "scikit-learn",
    "RandomForestClassifier": "scikit-learn",
}
#: More are neither converted nor synthesised in reasonable time: g++ alone takes a fifth of a second per tree of depth 3.
MOST_TREES, MOST_DEPTH, MOST_NODES = 1000, 10, 16384
#: Objectives of xgboost whose outputs are logits.
OBJECTIVES = (None, "binary:logistic", "binary:logitraw", "multi:softprob", "multi:softmax")
#: The trained model's own scores (n, n_out) of the validation and the test rows.
MARGINS = "margins.npz"
EXTRA = 'pip install "dse[trees]"'


def build(workload: Trees, architecture: tuple[tuple[str, Scalar], ...]) -> Any:
    """The study's unfitted classifier, made reproducible; DseError where it is none that can be converted."""
    try:
        model = workload.model(**dict(architecture))
    except ImportError as error:
        raise DseError(f"the study's model function: {error}. Boosted trees need an extra: {EXTRA}.") from error
    except MemoryError:
        raise
    except Exception as error:
        raise DseError(f"the study's model function raised {type(error).__name__}: {error}") from error
    if versions_if_present("conifer")["conifer"] == "absent":
        raise DseError(f"boosted trees are converted by conifer, which is not installed: {EXTRA}.")
    kind = type(model)
    if kind.__name__ not in KINDS or kind.__module__.split(".")[0] not in ("xgboost", "sklearn"):
        known = ", ".join(KINDS)
        raise DseError(f"the study's model function must return one of {known}; got {kind.__module__}.{kind.__qualname__}.")
    knobs = model.get_params()
    fixed = {"random_state": 0} if knobs["random_state"] is None else {}
    model.set_params(**fixed, **({"n_jobs": 1} if "n_jobs" in knobs else {}))
    _check(model, load_split(workload))
    return model


def outputs(data: Split) -> int:
    """How many scores there are: one for two classes, else one per class."""
    return 1 if data.classes == 2 else data.classes


def _check(model: Any, data: Split) -> None:
    """DseError for what conifer does not convert or nobody would synthesise, from the model's settings alone."""
    kind, knobs = type(model).__name__, model.get_params()
    if data.task != "classification":
        raise DseError("boosted trees are classifiers here; for a regression use a network.")
    if len(data.train.x.shape) != 2:
        raise DseError(f"trees take rows of numbers (n, features); the data has rows of shape {data.train.x.shape[1:]}.")
    boosters = {"XGBClassifier": (100, 6), "GradientBoostingClassifier": (100, 3), "RandomForestClassifier": (100, None)}
    trees, depth = (knobs[n] if knobs[n] is not None else d for n, d in zip(_SIZES, boosters[kind], strict=True))
    if not isinstance(trees, int) or not 1 <= trees * outputs(data) <= MOST_TREES:
        per = f" for each of {outputs(data)} outputs" if outputs(data) > 1 else ""
        raise DseError(f"{kind}: n_estimators must give 1 to {MOST_TREES} trees in all, got {trees}{per}.")
    if not isinstance(depth, int) or not 1 <= depth <= MOST_DEPTH:
        raise DseError(f"{kind}: max_depth must be a whole number from 1 to {MOST_DEPTH}, got {depth}.")
    for name, allowed in _ALLOWED[kind].items():
        if knobs.get(name) not in allowed:
            shown = " or ".join(repr(value) for value in allowed)
            raise DseError(f"{kind}: {name} must be {shown}, got {knobs[name]!r}: conifer converts nothing else.")


_SIZES = ("n_estimators", "max_depth")
_ALLOWED: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "XGBClassifier": {
        "objective": OBJECTIVES,
        "booster": (None, "gbtree"),
        "enable_categorical": (False, None),
        "early_stopping_rounds": (None,),
        "multi_strategy": (None, "one_output_per_tree"),
        "num_parallel_tree": (None, 1),
        "grow_policy": (None, "depthwise", 0),
    },
    "GradientBoostingClassifier": {"loss": ("log_loss",), "init": (None, "zero"), "n_iter_no_change": (None,)},
    "RandomForestClassifier": {},
}


def identity(workload: Trees, architecture: tuple[tuple[str, Scalar], ...]) -> str:
    """The classifier's kind and settings as JSON: what keys hang on."""
    model = build(workload, architecture)
    return json.dumps([type(model).__name__, model.get_params()], sort_keys=True, default=str)


def causes(workload: Trees, architecture: tuple[tuple[str, Scalar], ...]) -> dict[str, Any]:
    """All that the trained ensemble depends on."""
    told = identity(workload, architecture)
    return {
        "version": VERSION,
        "libraries": versions("conifer", KINDS[json.loads(told)[0]], "numpy"),
        "model": told,
        "data": load_split(workload).fingerprint,
    }


def train(workload: Trees, architecture: tuple[tuple[str, Scalar], ...], folder: Path) -> Mapping[str, Any]:
    """Fit the classifier; leaves `ensemble.npz` and its own scores of rows (MARGINS); returns how good it is."""
    data = load_split(workload)
    model = build(workload, architecture)
    try:
        model.fit(data.train.x, data.train.y)
    except MemoryError:
        raise
    except Exception as error:
        raise StageFailed("invalid", f"{type(model).__name__}.fit raised {type(error).__name__}: {error}") from error
    ensemble = taken_apart(model, data)
    if len(ensemble.feature) > MOST_NODES:
        raise StageFailed("unsupported", f"the ensemble has {len(ensemble.feature)} nodes; at most {MOST_NODES} are converted.")
    with (folder / "ensemble.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, **ensemble.arrays)
    said = {name: margins(model, getattr(data, name).x, outputs(data)) for name in ("validation", "test")}
    with (folder / MARGINS).open("wb") as file:
        np.savez(file, allow_pickle=False, **said)
    found = scores.measure(said["validation"], data.validation.y, data.task, suffix="_float")
    reached = {name: value for name, value in found.items() if not name.endswith("_n")}
    return {**reached, "convention": ensemble.convention, "kind": type(model).__name__, "depth": ensemble.depth}


def load(folder: Path, convention: str) -> Ensemble:
    """The trained ensemble of a `train` entry."""
    with np.load(folder / "ensemble.npz", allow_pickle=False) as file:
        return Ensemble.from_arrays(file, convention)


def margins(model: Any, x: np.ndarray, n_out: int) -> np.ndarray:
    """What the trained model itself says of rows, as logits (n, n_out) in float64; a forest's shares less one half for two."""
    match type(model).__name__:
        case "XGBClassifier":
            found = model.predict(x, output_margin=True)
        case "GradientBoostingClassifier":
            found = model.decision_function(x)
        case _:
            shares = model.predict_proba(x)
            found = shares[:, 1] - 0.5 if n_out == 1 else shares
    return np.asarray(found, dtype=np.float64).reshape(len(x), n_out)


def taken_apart(model: Any, data: Split) -> Ensemble:
    """The fitted trees with the constant that the model itself adds to them; StageFailed("mismatch") where it is no constant.

    The constant is measured: what xgboost writes as `base_score` has changed its meaning and form between versions.
    """
    ensemble = _forest(model, outputs(data)) if type(model).__name__ == "RandomForestClassifier" else _boosted(model)
    said = margins(model, data.train.x, outputs(data))
    rest = said - ensemble.scores(data.train.x)
    init = np.median(rest, axis=0)
    error = float(np.abs(rest - init).max())
    if error > 1e-4 * (1 + float(np.abs(said).max())):
        raise StageFailed("mismatch", f"the trees taken out of the model differ from what it predicts by up to {error:.3g}.")
    return ensemble.starting(init)


def _boosted(model: Any) -> Ensemble:
    """Boosted trees by conifer's own converters."""
    from conifer import converters

    library = "xgboost" if type(model).__name__ == "XGBClassifier" else "sklearn"
    found = converters.get_converter(library).convert(model)
    trees = [(output, tree) for row in found["trees"] for output, tree in enumerate(row)]
    ensemble = Ensemble.of(trees, len(found["trees"][0]), found["splitting_convention"])
    if library == "xgboost":  # text of float32 numbers
        object.__setattr__(ensemble, "threshold", ensemble.threshold.astype(np.float32).astype(np.float64))
    return ensemble


def _forest(model: Any, n_out: int) -> Ensemble:
    """A forest's mean share of each class; for two classes that of the second less one half: above 0 it is chosen."""
    trees = []
    for estimator in model.estimators_:
        tree = estimator.tree_
        shares = tree.value[:, 0, :] / tree.value[:, 0, :].sum(axis=1, keepdims=True)
        for output in range(n_out):
            value = shares[:, 1] - 0.5 if n_out == 1 else shares[:, output]
            row = {
                "feature": tree.feature,
                "threshold": tree.threshold,
                "children_left": tree.children_left,
                "children_right": tree.children_right,
                "value": value / len(model.estimators_),
            }
            trees.append((output, row))
    return Ensemble.of(trees, n_out, "<=")
