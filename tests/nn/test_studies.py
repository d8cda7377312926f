"""The project's studies: their networks can be built, and their first designs are legal."""

from __future__ import annotations

from pathlib import Path

import pytest

from dse.legal import illegal
from dse.nn import qat
from dse.studyfile import load
from dse.worker import architectures
from dse.workload import Workload

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.py"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_studys_first_designs_are_in_its_space_and_legal(path):
    """Without its data: knobs by the layers of its model, and the reuse factors that hls4ml builds as asked."""
    study = load(path)
    if not isinstance(study.workload, Workload):
        pytest.skip("no network that is trained for each design")
    architecture = dict(next(architectures(study)))
    layers = qat.shapes(study.workload.model(**architecture))
    space = study.space.resolved(layers)
    assert space.size > 1000
    designs = [space.design(values) for values in study.first]
    assert [illegal(design, layers) for design in designs] == [None] * len(designs)


def test_the_jets_study_begins_with_the_tutorials_designs():
    """16 bits without pruning, 6 bits with three quarters of the weights pruned."""
    study = load(next(path for path in STUDIES if path.stem == "jets"))
    layers = qat.shapes(study.workload.model())
    assert [(layer.n_in, layer.n_out) for layer in layers] == [(16, 64), (64, 32), (32, 32), (32, 5)]
    first, second = (study.space.resolved(layers).design(values).compression for values in study.first)
    assert ({*first.weight_bits.values}, first.sparsity.values) == ({16}, (0.0,))
    assert ({*second.weight_bits.values}, second.sparsity.values) == ({6}, (0.75,))
