"""Images of digits: MNIST and Street View House Numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dse.data import Data
from dse.datasets import files
from dse.datasets.download import CACHE, OPENML, advice, kept, openml
from dse.errors import DseError

if TYPE_CHECKING:
    import numpy as np

MNIST = "mnist_784"
SVHN = "http://ufldl.stanford.edu/housenumbers"
SVHN_FILE = "train_32x32.mat"


def mnist(path: str | Path | None = None, rows: int | None = None, cache: Path = CACHE, base: str = OPENML) -> Data:
    """Handwritten digits: x (70000, 28, 28, 1) from 0 to 1, 10 classes; from OpenML (once), or an npz or HDF5 file.

    The file holds x (n, 28, 28) or (n, 784) from 0 to 255, and y (n,). `rows` takes that many, drawn with a fixed seed.
    """
    if path is None:
        table = openml(MNIST, cache, base)
        x, y = table.drop(columns="class").to_numpy(), table["class"].to_numpy()
    else:
        found = files.from_file(path)
        x, y = found.x, found.y
    if x.size != len(x) * 28 * 28:
        raise DseError(f"{path or MNIST}: images must have 28 x 28 pixels, got rows of shape {x.shape[1:]}.")
    return _drawn(x.reshape(-1, 28, 28, 1), y, rows)


def svhn(path: str | Path | None = None, rows: int | None = 20_000, cache: Path = CACHE, base: str = SVHN) -> Data:
    """Street View House Numbers, cropped: x (rows, 32, 32, 3) from 0 to 1, 10 classes.

    From `train_32x32.mat` (73,257 images, 182 MB), downloaded once, or from the file that `path` names. `rows` of them are
    drawn with a fixed seed; None takes all, which need 900 MB of memory in every worker.
    """
    home = cache.expanduser() / SVHN_FILE if path is None else Path(path)
    if path is None:
        try:
            home = kept(SVHN_FILE, f"{base}/{SVHN_FILE}", cache)
        except OSError as error:
            raise DseError(f"{base}/{SVHN_FILE} could not be had: {error}. {advice(f'{SVHN}/{SVHN_FILE}', home)}") from error
    x, y = _matlab(home)
    return _drawn(x, y % 10, rows)


def _matlab(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 32, 32, 3) and labels (n,), where 10 stands for 0, of a file as Stanford publishes it."""
    import scipy.io

    if not path.is_file():
        raise DseError(f"{path}: no such data file. It is {SVHN}/{SVHN_FILE}.")
    try:
        found = scipy.io.loadmat(path)
        x, y = found["X"].transpose(3, 0, 1, 2), found["y"].ravel()
    except Exception as error:  # scipy raises what it likes for files that are none
        raise DseError(f"{path}: not a file of cropped SVHN images: {error!r}. It is {SVHN}/{SVHN_FILE}.") from error
    if x.shape[1:] != (32, 32, 3) or len(x) != len(y):
        raise DseError(f"{path}: images must be 32 x 32 pixels of 3 colours, got {x.shape} and {len(y)} labels.")
    return x, y


def _drawn(x: np.ndarray, y: np.ndarray, rows: int | None) -> Data:
    """All rows, or so many of them drawn with a fixed seed, as numbers from 0 to 1."""
    import numpy as np

    if rows is not None and rows < len(y):
        chosen = np.sort(np.random.default_rng(0).permutation(len(y))[:rows])
        x, y = x[chosen], y[chosen]
    return Data(x.astype(np.float32) / 255, y)
