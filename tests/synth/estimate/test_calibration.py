"""Learning from one's own vendor runs."""

import random
from dataclasses import replace

import pytest
from build_network import PART

from dse.design import build
from dse.errors import UsageError
from dse.metrics import Judge, Measurement, Source
from dse.record import Record
from dse.synth.estimate.calibration import LEAST_DESIGNS, Calibration, Pair, calibrate, pairs_of
from dse.synth.estimate.fit import shipped

GUESS = Judge("estimate", "csynth", "law-3", "estimated", PART, 5.0)
TOOL = Judge("vitis", "Vitis HLS", "2023.2", "hls", PART, 5.0)
KEY = ("Vitis HLS", "2023.2", "hls", PART)


def record(trial, guessed, stated, *, tool=TOOL, guess=GUESS):
    """A design with an estimate and figures of a tool."""
    measurements = [
        Measurement(Source("synthesize", "estimate", "law-2", "estimated"), guessed, judge=guess),
        Measurement(Source("synthesize", "Vitis HLS", "2023.2", "hls"), stated, judge=tool),
    ]
    return Record(trial, build({"weight_bits": trial + 2, "activation_bits": 6}), measurements=tuple(measurements))


def law(number, *, shift=1.7, power=0.9, noise=0.02, figure="lut"):
    """Pairs that follow stated + offset = shift * (estimated + offset) ** power, with noise."""
    draw, offset = random.Random(0), shipped().offsets[figure]
    values = [500.0 * 1.35**i for i in range(number)]
    return [
        Pair(str(i), figure, value, shift * (value + offset) ** power * draw.uniform(1 - noise, 1 + noise) - offset)
        for i, value in enumerate(values)
    ]


def test_a_calibration_finds_the_law_that_made_its_figures():
    """Oracle: figures made by a known power law with 2 % noise; errors fall to the noise, on designs that were left out."""
    found = calibrate(KEY, law(30), shipped().offsets)
    assert found.before["lut"] > 20
    assert found.after["lut"] < 3
    correction = found.calibration.of("lut")
    assert correction.power == pytest.approx(0.9, abs=0.03)
    assert correction.designs == 30
    assert correction.score < 0.1


def test_a_correction_that_does_not_help_unseen_designs_is_not_kept():
    """Noise around a right estimate is nothing to learn from: error after equals error before, no correction."""
    draw = random.Random(1)
    pairs = [Pair(str(i), "lut", 1000.0 + i, (1000.0 + i) * draw.choice([0.6, 1.7])) for i in range(7)]
    found = calibrate(KEY, pairs, shipped().offsets)
    assert found.after["lut"] <= found.before["lut"]
    if found.calibration.of("lut") is None:
        assert found.after["lut"] == found.before["lut"]


def test_exact_figures_stay_exact():
    """Where the estimate is right, calibration changes nothing."""
    pairs = [Pair(str(i), "dsp", float(10 * i), float(10 * i)) for i in range(1, 9)]
    found = calibrate(KEY, pairs, shipped().offsets)
    assert found.before["dsp"] == found.after["dsp"] == 0
    assert found.calibration.of("dsp") is None


def test_too_few_designs_are_refused_with_what_to_do():
    """Four designs do not tell a trend from luck."""
    with pytest.raises(UsageError, match=rf"no figure has {LEAST_DESIGNS} designs.*Synthesise more designs"):
        calibrate(KEY, law(LEAST_DESIGNS - 1), shipped().offsets)


def test_intervals_cover_nine_designs_in_ten():
    """Over 20 seeded populations, the width learned from one half holds 85 to 95 % of the other half."""
    inside, offset = 0, shipped().offsets["lut"]
    for seed in range(20):
        draw = random.Random(seed)
        guesses = [500.0 + 20 * i for i in range(60)]
        pairs = [Pair(str(i), "lut", guess, 1.3 * guess * draw.uniform(0.7, 1.3)) for i, guess in enumerate(guesses)]
        found = calibrate(KEY, pairs[::2], shipped().offsets).calibration.of("lut")
        for pair in pairs[1::2]:
            low, high = shipped().interval("lut", found.apply(pair.estimated, offset), found.score)
            inside += low <= pair.stated <= high
    assert 0.85 <= inside / (20 * 30) <= 0.95


def test_pairs_come_from_plain_estimates_and_each_design_counts_once():
    """A corrected estimate is not corrected again; the same design in two runs is one design; tools are kept apart."""
    corrected = replace(GUESS, calibration="Vitis HLS 2023.2 hls, abc")
    other = replace(TOOL, version="2024.1")
    records = [
        record(1, {"lut": 100.0, "ff": 5.0}, {"lut": 150.0, "uram": 1.0}),
        record(1, {"lut": 100.0}, {"lut": 150.0}),
        record(2, {"lut": 120.0}, {"lut": 170.0}, guess=corrected),
        record(3, {"lut": 130.0}, {"lut": 190.0}, tool=other),
    ]
    found = pairs_of(records)
    assert {key: len(rows) for key, rows in found.items()} == {KEY: 1, ("Vitis HLS", "2024.1", "hls", PART): 1}
    assert found[KEY][0] == Pair(records[0].design.digest, "lut", 100.0, 150.0)


def test_a_calibration_survives_json_and_names_itself_by_its_content():
    """Another correction is another judge; another format is refused."""
    one = calibrate(KEY, law(30), shipped().offsets).calibration
    other = calibrate(KEY, law(29), shipped().offsets).calibration
    assert Calibration.from_json(one.as_json()) == one
    assert one.name != other.name
    assert one.name.startswith("Vitis HLS 2023.2 hls, ")
    with pytest.raises(UsageError, match="calibration of format 9"):
        Calibration.from_json({**one.as_json(), "format": 9})


def test_a_file_of_another_format_is_named(tmp_path):
    """What, where, and what to do."""
    (tmp_path / "old.json").write_text('{"format": 0}')
    with pytest.raises(UsageError, match=r"old\.json: calibration of format 0; .* Calibrate again"):
        Calibration.load(tmp_path / "old.json")
