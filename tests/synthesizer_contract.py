"""The contract that every synthesizer keeps: one class of tests, inherited once per synthesizer."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from dse.metrics import Judge, Measurement
from dse.synth import Synthesizer


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class SynthesizerContract:
    """What holds for every synthesizer; a subclass gives fixtures `synthesizer`, `network` and `project`."""

    def test_it_is_a_frozen_value(self, synthesizer):
        """It can be written into a study, compared and sent to a worker."""
        again = pickle.loads(pickle.dumps(synthesizer))
        assert isinstance(synthesizer, Synthesizer)
        assert again == synthesizer
        assert hash(again) == hash(synthesizer)
        with pytest.raises(AttributeError):
            synthesizer.anything = 1

    def test_its_judge_is_the_same_for_the_same_question(self, synthesizer):
        """Only figures of one judge stand on one front: part and clock are in it, and it does not change."""
        judge = synthesizer.judge("xc7z020-clg400-1", 5.0)
        assert isinstance(judge, Judge)
        assert judge == synthesizer.judge("xc7z020-clg400-1", 5.0)
        assert (judge.part, judge.clock_ns) == ("xc7z020-clg400-1", 5.0)
        assert synthesizer.judge("xc7z020-clg400-1", None).clock_ns is None

    def test_its_causes_are_json_and_name_the_network(self, synthesizer, network):
        """The store's key: the same for the same network, another for other weights, clock or part."""
        causes = [
            json.dumps(synthesizer.causes(each), sort_keys=True)
            for each in (
                network,
                replace(network),
                replace(network, clock_ns=network.clock_ns + 1),
                replace(network, part="xc7z010-clg400-1"),
                replace(network, weights={name: 2 * weight for name, weight in network.weights.items()}),
            )
        ]
        assert causes[0] == causes[1]
        assert len(set(causes)) == 4

    def test_its_figures_name_their_judge_and_the_project_stays_as_it_was(self, synthesizer, network, project, tmp_path):
        """A measurement of metrics, of the judge's level; what was generated is only read."""
        before = files(project)
        (tmp_path / "made").mkdir()
        found = synthesizer.synthesize(network, project, tmp_path / "made")
        judge = synthesizer.judge(network.part, network.clock_ns)
        assert isinstance(found, Measurement)
        assert found.values
        assert found.judge in (None, judge)
        assert found.source.level == judge.level
        assert found == Measurement.from_json(json.loads(json.dumps(found.as_json())))
        assert files(project) == before
