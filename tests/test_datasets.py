"""Data files and downloads: what is read, what is refused, and what is said without a network."""

from __future__ import annotations

import hashlib
import json
import runpy
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io

from dse import datasets
from dse.datasets.tagging import CLASSES, FEATURES
from dse.errors import DseError

ROOT = Path(__file__).parents[1]
COLUMNS = ["a", "b"]


def table(rows=30):
    """Two features and three classes by name."""
    draw = np.random.default_rng(1)
    x = draw.normal(size=(rows, 2)).astype(np.float32)
    return pd.DataFrame(x, columns=COLUMNS).assign(kind=np.array(["w", "g", "z"])[np.arange(rows) % 3])


def write(path, found):
    """The table in the format that the file's name states."""
    x, y = found[COLUMNS].to_numpy(), found["kind"].to_numpy()
    if path.suffix == ".csv":
        found.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        found.to_parquet(path, index=False)
    elif path.suffix == ".npz":
        np.savez(path, X=x, kind=y.astype("U1"), columns=np.array(COLUMNS))
    else:
        with h5py.File(path, "w") as file:
            file["x"], file["kind"], file["columns"] = x, y.astype("S1"), np.array(COLUMNS, dtype="S1")
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.npz", "t.h5"])
def test_every_format_gives_the_same_rows(tmp_path, name):
    """Columns by name in the order asked for, labels by the order of the classes."""
    found = table()
    read = datasets.from_file(write(tmp_path / name, found), ("b", "a"), "kind", ("g", "w", "z"))
    assert np.allclose(read.x, found[["b", "a"]].to_numpy())
    assert read.y.tolist() == [1, 0, 2] * 10
    assert datasets.from_file(tmp_path / name, label="kind").x.shape == (30, 2)


def test_one_hot_labels_and_images_of_arrays(tmp_path):
    """As Keras likes them; columns and capitals are no matter."""
    x, y = np.random.default_rng(0).random((20, 4, 4, 1)), np.arange(20) % 2
    np.savez(tmp_path / "images.npz", x=x, Y=np.eye(2)[y])
    read = datasets.from_file(tmp_path / "images.npz")
    assert read.x.shape == (20, 4, 4, 1)
    assert read.y.tolist() == y.tolist()


def test_numbers_to_be_met_are_read_as_they_are(tmp_path):
    """For a regression: a column, or an array of several."""
    found = table().assign(kind=np.linspace(-1, 1, 30))
    assert np.allclose(datasets.from_file(write_csv(tmp_path, found), label="kind", task="regression").y[:, 0], found["kind"])
    np.savez(tmp_path / "two.npz", x=np.zeros((12, 3)), y=np.arange(24.0).reshape(12, 2))
    assert datasets.from_file(tmp_path / "two.npz", task="regression").y.shape == (12, 2)


def write_csv(folder, found):
    """The table as a csv file."""
    found.to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def changed(name, row, value):
    """The table with one cell replaced."""
    found = table().astype({"a": object}) if isinstance(value, str) and name != "kind" else table()
    found.loc[row, name] = value
    return found


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (table().rename(columns={"b": "c"}), "there is no column b; the columns are a, c, kind"),
        (table().drop(columns="kind"), "there is no column kind"),
        (changed("a", 7, np.nan), "column a has no number in 1 rows, the first is row 7"),
        (changed("a", 5, "much"), "column a must hold numbers, got 'much' in row 5"),
        (changed("b", 3, np.inf), "1 rows of x hold NaN or infinity, the first is row 3"),
        (changed("kind", 4, None), "1 rows have no label, the first is row 4"),
        (changed("kind", 4, "x"), "the labels must be g, w, z; got x"),
        (table().assign(kind="g"), "all 30 rows have the same label"),
        (table().assign(kind=np.arange(30) % 4), "labels must be 0 to 2, got labels from 0 to 3"),
        (table().assign(kind=np.arange(30) % 2 - 1), "labels must be 0 to 2, got labels from -1 to 0"),
    ],
)
def test_a_bad_table_is_refused_with_its_place(tmp_path, found, said):
    """The file, the column, the row, what was got."""
    path = tmp_path / "bad.csv"
    found.to_csv(path, index=False)
    with pytest.raises(DseError, match=said) as caught:
        datasets.from_file(path, COLUMNS, "kind", ("g", "w", "z"))
    assert str(path) in str(caught.value)


def test_files_that_are_none_are_refused(tmp_path):
    """Missing, of another kind, torn, without the arrays."""
    np.savez(tmp_path / "empty.npz", z=np.zeros(3))
    for name, content, said in [
        ("gone.csv", None, "no such data file"),
        ("text.txt", "a", "must end in one of .csv, .parquet, .npz, .h5"),
        ("torn.npz", "PK", "not a readable npz file"),
        ("torn.h5", "no", "not a readable h5 file"),
        ("torn.parquet", "no", "not a readable parquet file"),
        ("empty.npz", None, r"there is no array x; the file holds z \(3,\)"),
    ]:
        if content is not None:
            (tmp_path / name).write_text(content)
        with pytest.raises(DseError, match=said):
            datasets.from_file(tmp_path / name)


ARFF = "% of OpenML\n@RELATION jets\n{}\n@ATTRIBUTE 'class' {{g, q, t, w, z}}\n@DATA\n{}\n"


def jets_arff(rows=40):
    """The jets' columns as OpenML writes them."""
    draw = np.random.default_rng(2).normal(size=(rows, len(FEATURES)))
    names = "\n".join(f"@ATTRIBUTE {name} REAL" for name in FEATURES)
    lines = [f"{','.join(f'{v:.6f}' for v in row)},{CLASSES[i % 5]}" for i, row in enumerate(draw)]
    return ARFF.format(names, "\n".join(lines)).encode(), draw


class OpenML(BaseHTTPRequestHandler):
    """What OpenML answers: a list by name, a description by number, the file."""

    files: ClassVar[dict] = {}
    asked: ClassVar[list] = []
    md5 = ""

    def do_GET(self):
        self.asked.append(self.path)
        base = f"http://127.0.0.1:{self.server.server_address[1]}"
        name = self.path.rpartition("/")[2]
        body = None
        if "/data_name/" in self.path:
            known = self.path.split("/data_name/")[1].split("/")[0]
            body = json.dumps({"data": {"dataset": [{"did": 7, "name": known}]}}).encode() if known in self.files else None
        elif self.path.endswith("/api/v1/json/data/7"):
            known = next(iter(self.files))
            stated = self.md5 or hashlib.md5(self.files[known]).hexdigest()
            described = {"url": f"{base}/files/{known}", "md5_checksum": stated, "format": "ARFF"}
            body = json.dumps({"data_set_description": described}).encode()
        elif name in self.files:
            body = self.files[name]
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        """Nothing on the test's output."""


@pytest.fixture
def server():
    """A server's handler class and address."""
    handler = type("Handler", (OpenML,), {"files": {}, "asked": []})
    found = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{found.server_address[1]}"
    found.shutdown()
    found.server_close()


def test_jets_are_downloaded_once(server, tmp_path):
    """Standardised features, labels by name; the second call asks nobody."""
    handler, base = server
    content, draw = jets_arff()
    handler.files["hls4ml_lhc_jets_hlf"] = content
    found = datasets.jets(cache=tmp_path, base=base)
    assert np.allclose(found.x, (draw - draw.mean(axis=0)) / draw.std(axis=0), atol=1e-4)
    assert found.y.tolist() == [i % 5 for i in range(40)]
    asked = len(handler.asked)
    assert asked == 3
    assert np.array_equal(datasets.jets(cache=tmp_path, base=base).x, found.x)
    assert len(handler.asked) == asked
    assert [path.name for path in tmp_path.iterdir()] == ["hls4ml_lhc_jets_hlf.arff"]


def test_a_download_that_is_damaged_is_not_kept(server, tmp_path):
    """The MD5 sum differs from what OpenML states."""
    handler, base = server
    handler.files["hls4ml_lhc_jets_hlf"], handler.md5 = jets_arff()[0], "0" * 32
    with pytest.raises(DseError, match="MD5"):
        datasets.jets(cache=tmp_path, base=base)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_it_is_said_what_to_download_and_where_to_put_it(server, tmp_path):
    """And the file that was put there is read."""
    nobody = "http://127.0.0.1:9"
    with pytest.raises(DseError) as caught:
        datasets.jets(cache=tmp_path, base=nobody)
    for part in ("hls4ml_lhc_jets_hlf", "https://www.openml.org", str(tmp_path / "hls4ml_lhc_jets_hlf.arff"), "--data PATH"):
        assert part in str(caught.value)
    (tmp_path / "hls4ml_lhc_jets_hlf.arff").write_bytes(jets_arff()[0])
    assert datasets.jets(cache=tmp_path, base=nobody).x.shape == (40, 16)
    with pytest.raises(DseError, match="could not be had"):
        datasets.mnist(cache=tmp_path, base=server[1])  # a server that does not know it
    with pytest.raises(DseError, match=r"train_32x32\.mat"):
        datasets.svhn(cache=tmp_path, base=nobody)


def test_a_generated_file_is_one_of_jets(tmp_path, monkeypatch, capsys):
    """tools/jets_like.py writes what datasets.jets reads; a file without a column is refused."""
    path = tmp_path / "jets.csv"
    monkeypatch.setattr("sys.argv", ["jets_like.py", str(path), "--rows", "200"])
    runpy.run_path(str(ROOT / "tools/jets_like.py"), run_name="__main__")
    found = datasets.jets(path)
    assert (found.x.shape, found.classes) == ((200, 16), 5)
    pd.read_csv(path).drop(columns="zlogz").to_csv(path, index=False)
    with pytest.raises(DseError, match="no column zlogz"):
        datasets.jets(path)


def test_a_generated_file_is_one_of_svhn(tmp_path, monkeypatch):
    """tools/svhn_like.py writes what datasets.svhn reads: every digit, each in the same place of its label."""
    path = tmp_path / "train_32x32.mat"
    monkeypatch.setattr("sys.argv", ["svhn_like.py", str(path), "--rows", "300"])
    space = runpy.run_path(str(ROOT / "tools/svhn_like.py"))
    space["main"]()
    found = datasets.svhn(path)
    assert (found.x.shape, found.classes) == ((300, 32, 32, 3), 10)
    images, labels = space["draw"](300, 0)
    assert np.array_equal(found.y, labels)
    assert np.array_equal(found.x, images.astype(np.float32) / 255)


def test_svhn_is_read_from_matlabs_file(server, tmp_path):
    """10 stands for 0; the same rows are drawn every time."""
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 256, size=(32, 32, 3, 60), dtype=np.uint8), np.arange(60)[:, None] % 10 + 1
    scipy.io.savemat(tmp_path / "made.mat", {"X": x, "y": y})
    whole = datasets.svhn(tmp_path / "made.mat")
    assert (whole.x.shape, whole.x.max() <= 1, whole.classes) == ((60, 32, 32, 3), True, 10)
    assert np.array_equal(whole.x[9], x[..., 9].astype(np.float32) / 255)
    assert whole.y[9] == 0
    with pytest.raises(DseError, match="not a file of cropped SVHN images"):
        datasets.svhn(Path(__file__))
    handler, base = server
    handler.files["train_32x32.mat"] = (tmp_path / "made.mat").read_bytes()
    assert np.array_equal(datasets.svhn(cache=tmp_path / "cache", base=base).x, whole.x)


def test_mnist_of_a_file(shared):
    """A subset of the real one, as 28 x 28 images from 0 to 1."""
    path = shared / "datasets/mnist_10500/mnist_10500.npz"
    found = datasets.mnist(path)
    assert (found.x.shape, found.x.min(), found.x.max(), found.classes) == ((10500, 28, 28, 1), 0, 1, 10)
    few = datasets.mnist(path, rows=600)
    assert few.x.shape[0] == 600
    assert np.array_equal(few.x, datasets.mnist(path, rows=600).x)


def test_mnist_of_openml(server, tmp_path):
    """784 numbered columns and the class in quotes."""
    handler, base = server
    draw = np.random.default_rng(3).integers(0, 256, size=(20, 784))
    names = "\n".join(f"@ATTRIBUTE pixel{i + 1} real" for i in range(784))
    rows = "\n".join(f"{','.join(map(str, row))},{i % 2}" for i, row in enumerate(draw))
    handler.files["mnist_784"] = f"@RELATION m\n{names}\n@ATTRIBUTE class {{0,1}}\n@DATA\n{rows}\n".encode()
    found = datasets.mnist(cache=tmp_path, base=base)
    assert np.array_equal(found.x[5].ravel(), draw[5].astype(np.float32) / 255)
    assert found.y.tolist() == [0, 1] * 10
