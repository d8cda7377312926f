"""Rows from a file: csv, Parquet, npz or HDF5, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.data import Data, Task
from dse.errors import DseError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TABLES = (".csv", ".parquet")
ARRAYS = (".npz", ".h5", ".hdf5")


def from_file(
    path: str | Path,
    features: Sequence[str] = (),
    label: str = "y",
    classes: Sequence[str] = (),
    task: Task = "classification",
) -> Data:
    """Rows x and class labels y (or, for a regression, numbers) of a data file; DseError says what is wrong with it, and where.

    csv and Parquet hold one named column per feature and one for the `label`. npz and HDF5 hold two arrays: `x` (n, ...) and
    `label` (n,) or one-hot (n, k); capitals do not matter, and a third array `columns` may name the features of x (n, f).
    `features` names the columns that are taken, in this order; by default all but the label's. Labels are whole numbers from 0,
    or text, which is numbered in the order of `classes` or else of the alphabet.
    """
    path = Path(path)
    if not path.is_file():
        raise DseError(f"{path}: no such data file.")
    if path.suffix.lower() not in (*TABLES, *ARRAYS):
        raise DseError(f"{path}: a data file must end in one of {', '.join((*TABLES, *ARRAYS))}.")
    try:
        if path.suffix.lower() in TABLES:
            x, y = _from_table(path, read_table(path), features, label)
        else:
            x, y = _from_arrays(path, features, label)
            if task == "classification":
                y = y.argmax(axis=1) if y.ndim > 1 and y.shape[1] > 1 else y.reshape(len(y), -1)[:, 0]
        return Data(x, y, task) if task == "regression" else Data(x, labels(path, y, classes))
    except DseError as error:
        said = str(error)
        raise DseError(said if str(path) in said else f"{path}: {said}") from error


def read_table(path: Path) -> pd.DataFrame:
    """A csv or Parquet file; DseError where it cannot be read."""
    import pandas as pd

    try:
        return pd.read_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    except ImportError as error:
        raise DseError(f"{path}: Parquet files need pyarrow. Install the extra: pip install 'dse[parquet]'.") from error
    except (OSError, ValueError) as error:
        raise DseError(f"{path}: not a readable {path.suffix[1:]} file: {error}") from error


def _from_table(path: Path, table: pd.DataFrame, features: Sequence[str], label: str) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np
    import pandas as pd

    names = list(features) or [name for name in table.columns if name != label]
    _check_columns(path, [*names, label], [str(name) for name in table.columns])
    for name in names:
        numbers = pd.to_numeric(table[name], errors="coerce")
        lacking = np.flatnonzero(table[name].isna())
        if len(lacking):
            raise DseError(f"{path}: column {name} has no number in {len(lacking)} rows, the first is row {lacking[0]}.")
        texts = np.flatnonzero(numbers.isna())
        if len(texts):
            raise DseError(f"{path}: column {name} must hold numbers, got {table[name].iloc[texts[0]]!r} in row {texts[0]}.")
    return table[names].to_numpy(dtype=np.float32), table[label].to_numpy()


def _check_columns(path: Path, wanted: Sequence[str], there: Sequence[str]) -> None:
    lacking = [name for name in wanted if name not in there]
    if lacking:
        shown = ", ".join(there[:20]) + (", ..." if len(there) > len(there[:20]) else "")
        raise DseError(f"{path}: there is no column {', '.join(lacking)}; the columns are {shown}.")


def _from_arrays(path: Path, features: Sequence[str], label: str) -> tuple[np.ndarray, np.ndarray]:
    found = read_arrays(path)
    for name in ("x", label.lower()):
        if name not in found:
            shown = ", ".join(f"{key} {array.shape}" for key, array in found.items()) or "nothing"
            raise DseError(f"{path}: there is no array {name}; the file holds {shown}.")
    x, y = found["x"], found[label.lower()]
    if features and x.ndim == 2:
        if "columns" in found:
            there = [_text(name) for name in found["columns"]]
            _check_columns(path, features, there)
            x = x[:, [there.index(name) for name in features]]
        elif x.shape[1] != len(features):
            raise DseError(f"{path}: x has {x.shape[1]} columns and no array `columns`, expected the {len(features)} features.")
    return x, y


def read_arrays(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays of an npz or HDF5 file by name in small letters; DseError where it cannot be read."""
    import zipfile

    import h5py
    import numpy as np

    try:
        if path.suffix.lower() == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return {name.lower(): file[name] for name in file.files}
        with h5py.File(path) as file:
            return {name.lower(): item[()] for name, item in file.items() if isinstance(item, h5py.Dataset)}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DseError(f"{path}: not a readable {path.suffix[1:]} file: {error}") from error


def labels(path: Path, y: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Labels as whole numbers from 0; DseError for labels that are missing, or are not among the `classes`."""
    import numpy as np
    import pandas as pd

    values = pd.Series(y)
    lacking = np.flatnonzero(values.isna())
    if len(lacking):
        raise DseError(f"{path}: {len(lacking)} rows have no label, the first is row {lacking[0]}.")
    if values.dtype.kind in "fiub":
        whole = values.to_numpy()
        found = whole.astype(np.int64) if np.all(np.equal(np.mod(whole, 1), 0)) else whole
    else:
        texts = values.map(_text)
        order = list(classes) or sorted(set(texts))
        unknown = sorted(set(texts) - set(order))
        if unknown:
            raise DseError(f"{path}: the labels must be {', '.join(order)}; got {', '.join(unknown[:5])}.")
        found = texts.map(order.index).to_numpy(dtype=np.int64)
    if classes and not (found.min() >= 0 and found.max() < len(classes)):
        raise DseError(f"{path}: labels must be 0 to {len(classes) - 1}, got labels from {found.min()} to {found.max()}.")
    if len(np.unique(found)) == 1:
        raise DseError(f"{path}: all {len(found)} rows have the same label, {found[0]}; there is nothing to tell apart.")
    return np.asarray(found)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
