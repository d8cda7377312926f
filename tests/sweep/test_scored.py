"""Whole sweeps whose score is not the accuracy of one logit per class, and what their readers are told."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dse import Objective, Options, Score, explore
from dse.design import build
from dse.errors import DseError, UsageError
from dse.evaluate import evaluate
from dse.export import as_csv, as_json
from dse.listing import front_listing
from dse.nn import emulate, train
from dse.run import open_run
from dse.store import Store
from dse.view import view
from tests.tiny_scores import BINARY, REGRESSION, recall


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One root, so that the tests share trained networks and compiled emulations."""
    return tmp_path_factory.mktemp("root")


def swept(study, root, **options):
    return explore(study, Options(root=root, quiet=True, jobs=1, **options))


def test_a_score_of_ones_own_is_objective_and_limit_like_any_other(root):
    """A network with one logit: recall is told to the search, kept with its meaning, and sealed for the test rows."""
    swept(BINARY, root, trials=2)
    run = open_run(root / "binary")
    seen = view(run)
    assert run.goals.metric("recall").meaning == "rows of class 1 that are found; validation split"
    assert [objective.direction for objective in run.goals.objectives] == ["max", "max", "min"]
    assert not seen.unproven
    assert seen.front
    store = Store(root)
    rows = train.load_split(BINARY.workload)
    for standing in seen.front:
        record = standing.record
        outputs = emulate.load_outputs(store.path("verify", record.measurement("recall_test").source.key), "test")
        assert record.value("recall_test") == recall(outputs, rows.test.y)
        assert record.value("accuracy_test") == np.mean((outputs[:, 0] > 0) == rows.test.y)
        assert 0 <= record.value("auc_test") <= 1
        assert record.value("auc_float") is not None
    table = front_listing(seen)
    assert [column.title for column in table.columns[:4]] == ["trial", "recall", "auc", "lut"]
    head = as_csv(seen).decode().splitlines()[0].split(",")
    assert head.index("accuracy") < head.index("recall") < head.index("recall_test") < head.index("recall.tool")
    told = json.loads(as_json(seen))[0]["figures"]["recall"]
    assert (told["meaning"], told["unit"]) == ("rows of class 1 that are found; validation split", "")


def test_another_function_under_the_same_name_is_another_study(root):
    """Its figures would be compared with those of the first."""
    swept(BINARY, root, trials=1)
    other = Score("recall", lambda outputs, y: np.mean(outputs[y == 1, 0] > 1), "max", "rows of class 1 that are found")
    with pytest.raises(UsageError, match=r"holds the sweep of another study:\n.*scores\.recall"):
        swept(replace(BINARY, workload=replace(BINARY.workload, scores=(other,))), root, trials=2)


def test_a_regression_runs_to_a_front(root):
    """Targets are met to within the bits; errors are objectives; the emulation equals its reference in both outputs."""
    swept(REGRESSION, root, trials=2)
    seen = view(open_run(root / "regression"))
    assert seen.front
    assert not seen.unproven
    for standing in seen.standings:
        record = standing.record
        assert record.value("agreement") == 1
        assert record.value("accuracy") is None
        assert record.value("mse_n") == 30
        outputs = emulate.load_outputs(Store(root).path("emulate", record.entries["emulate"]), "validation")
        rows = train.load_split(REGRESSION.workload).validation
        assert record.value("mse") == pytest.approx(np.mean((outputs - rows.y) ** 2), rel=1e-9)
        assert record.value("r2") < 1


@pytest.mark.parametrize(
    ("study", "objective", "said"),
    [
        (REGRESSION, "auc", "auc is no score of a regression; objectives and limits may be on mse, r2"),
        (BINARY, "mse", "mse is no score of a classification; objectives and limits may be on accuracy, auc"),
    ],
)
def test_scores_of_another_task_are_refused_before_the_first_trial(study, objective, said, root):
    """Every design would be trained, and none would ever be on a front."""
    wrong = replace(study, name="wrong", objectives=(Objective(objective), Objective("lut")), limits=())
    with pytest.raises(UsageError, match=said):
        swept(wrong, root)
    assert not (root / "wrong" / "records.jsonl").exists()


def test_a_score_that_raises_is_refused_before_the_first_trial(root):
    """Tried on made-up outputs of the model's shape: the second logit is not there."""
    wrong = Score("second", lambda outputs, y: outputs[:, 1].mean(), "max", "the mean second logit")
    workload = replace(BINARY.workload, scores=(wrong,))
    study = replace(BINARY, name="raises", workload=workload, objectives=(Objective("second"),), limits=())
    with pytest.raises(DseError, match="score second: the study's function raised IndexError"):
        swept(study, root)


def test_a_score_that_is_no_number_for_a_design_is_the_designs_failure(root):
    """Typed, with what it returned; nothing is synthesised."""

    def fragile(outputs, y):
        return float("nan") if np.all(outputs * 2**20 == np.round(outputs * 2**20)) else 0.0  # fixed-point outputs only

    own = (Score("fragile", fragile, "max", "nothing"),)
    study = replace(BINARY, workload=replace(BINARY.workload, scores=own), objectives=(Objective("fragile"),), limits=())
    store = Store(root)
    store.prepare()
    design = build({"weight_bits": 5, "activation_bits": 5, "input_bits": 8})
    record = evaluate(0, design, study, store)
    assert record.failure is not None
    assert (record.failure.kind, record.failure.message[:48]) == ("invalid", "score fragile: the study's function returned nan")
    assert "synthesize" not in record.entries


def test_class_weights_change_what_is_learned(tmp_path):
    """Weight on the rare class finds more of its rows; balanced weights are those numbers."""
    found = {}
    for name, weights in {"plain": None, "rare": (1.0, 50.0), "common": (50.0, 1.0)}.items():
        workload = replace(BINARY.workload, training=replace(BINARY.workload.training, epochs=3, class_weights=weights))
        (tmp_path / name).mkdir()
        train.train(workload, (), tmp_path / name)
        model = train.build(workload, ())
        for layer, arrays in train.load_weights(tmp_path / name / "weights.npz").items():
            model.get_layer(layer).set_weights(arrays)
        found[name] = train.outputs(model, train.load_split(workload).train.x).mean()
        assert ("class_weights" in train.causes(workload, ())["training"]) == (weights is not None)
    assert found["common"] < found["plain"] < found["rare"]
