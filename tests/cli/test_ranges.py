"""`dse profile` and `dse trace`."""

import json

import numpy as np
import pytest
from build_network import dense, network, relu
from build_run import plain_record, write_run

from dse.cli import main
from dse.nn import ranges
from dse.record import Record

X = np.round(np.random.default_rng(1).uniform(-4, 4, size=(40, 6)) * 8) / 8
KEYS = {"convert": "c" * 64, "emulate": "e" * 64}


def call(capsys, *words):
    """Exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return caught.value.code, said.out, said.err


@pytest.fixture
def built(tmp_path):
    """A converted network's folder, and data of its shape."""
    found = network(dense("fc", "x", 6, 4), relu("r", "fc", 4))
    folder = tmp_path / "root/store/convert/cc" / KEYS["convert"]
    folder.mkdir(parents=True)
    found.save(folder)
    np.savez(tmp_path / "data.npz", x=X, y=np.arange(40) % 2)
    return found, folder, tmp_path / "data.npz"


@pytest.fixture
def run(tmp_path, built):
    """A run with one trial whose network and rows are in the store."""
    seen = tmp_path / "root/store/emulate/ee" / KEYS["emulate"]
    seen.mkdir(parents=True)
    np.save(seen / "inputs-validation.npy", X)
    record = plain_record(0, accuracy=0.9, agreement=1.0)
    record = Record(0, record.design, {}, record.measurements, entries=KEYS)
    gone = Record(1, record.design, {}, record.measurements, entries={**KEYS, "convert": "d" * 64})
    write_run(tmp_path / "root/one", [record, gone])
    return tmp_path / "root/one"


def test_a_profile_is_that_of_the_network_and_the_rows(capsys, built):
    """JSON is what the ranges say; the table names each layer's weights and results once."""
    found, folder, data = built
    code, out, _ = call(capsys, "profile", folder, data, "--json")
    assert code == 0
    assert json.loads(out) == [json.loads(json.dumps(row.as_json())) for row in ranges.profile(found, found.weights, X)]
    code, out, _ = call(capsys, "profile", folder, data, "--rows", 3)
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[1:5]] == [
        ["x", "result"],
        ["fc", "weight"],
        ["fc", "result"],
        ["r", "result"],
    ]
    assert "(18)" in out.splitlines()[1]


@pytest.mark.parametrize("form", ["html", "svg", "png"])
def test_pictures_are_drawn(capsys, built, run, tmp_path, form):
    """Of both verbs, with the layers' names where they can be read."""
    _, folder, data = built
    for words in (("profile", folder, data), ("trace", run, 0)):
        out = tmp_path / f"{words[0]}.{form}"
        code, said, _ = call(capsys, *words, "--out", out)
        assert code == 0
        assert f"drawn to {out}" in said
        content = out.read_bytes()
        assert content.startswith(b"\x89PNG") if form == "png" else b"fc" in content


def test_a_trace_tells_where_most_is_lost(capsys, built, run):
    """The relu has 6 bits below 1 and saturates: a part of its values is above."""
    found, _, _ = built
    code, out, _ = call(capsys, "trace", run, 0)
    assert code == 0
    assert "most is lost in r." in out
    assert "with the same weights; the emulation equals these values' outputs on 100.00% of the rows" in out
    code, out, _ = call(capsys, "trace", run, 0, "--json")
    told = json.loads(out)
    assert told["layers"] == [json.loads(json.dumps(row.as_json())) for row in ranges.trace(found, None, X)]
    assert told["agreement"] == 1.0
    assert told["layers"][-1]["overflow"] > 0.05


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("profile", "{folder}", "{data}", "--type", "float16"), (2, "--type: not a fixed-point type: 'float16'")),
        (("profile", "{folder}", "{data}", "--out", "x.pdf"), (2, "must be one of .html, .png, .svg")),
        (("profile", "{folder}", "gone.npz"), (1, "gone.npz: no such data file")),
        (("profile", "{folder}", "digits"), (1, "takes inputs of shape (6,), the data has rows of shape (64,)")),
        (("profile", "{run}", "{data}"), (2, "holds no converted network")),
        (("profile", "gone.h5", "{data}"), (2, "gone.h5: no such file")),
        (("trace", "{run}", "1"), (1, "its files are gone")),
        (("trace", "{run}", "7"), (2, "no record of trial 7")),
        (("trace", "{folder}", "0"), (2, "is not the folder of a sweep")),
    ],
)
def test_what_is_wrong_is_said(capsys, built, run, words, expected):
    """One message, with what was given."""
    _, folder, data = built
    places = {"folder": folder, "data": data, "run": run}
    found, _, err = call(capsys, *(word.format(**places) for word in words))
    code, said = expected
    assert (found, said in err) == (code, True), err
