"""Jets of the Large Hadron Collider, the benchmark of hls4ml's tutorial."""

from __future__ import annotations

from pathlib import Path

from dse.data import Data
from dse.datasets import files
from dse.datasets.download import CACHE, OPENML, openml
from dse.errors import DseError

NAME = "hls4ml_lhc_jets_hlf"
#: The features, in OpenML's order.
FEATURES = (
    "zlogz", "c1_b0_mmdt", "c1_b1_mmdt", "c1_b2_mmdt", "c2_b1_mmdt", "c2_b2_mmdt", "d2_b1_mmdt", "d2_b2_mmdt",
    "d2_a1_b1_mmdt", "d2_a1_b2_mmdt", "m2_b1_mmdt", "m2_b2_mmdt", "n2_b1_mmdt", "n2_b2_mmdt", "mass_mmdt", "multiplicity",
)  # fmt: skip
#: Gluon, quark, top, W and Z, in the order of their labels.
CLASSES = ("g", "q", "t", "w", "z")
LABEL = "class"


def jets(path: str | Path | None = None, cache: Path = CACHE, base: str = OPENML) -> Data:
    """Jets by 16 features, standardised, in 5 classes: 830,000 rows from OpenML, or those of a file of the same columns.

    OpenML is asked once; DseError says what to do without a network. `path` names a csv, Parquet, npz or HDF5 file as
    `from_file` reads it, with the columns FEATURES and "class" (arrays: x, y).
    """
    if path is None:
        table = openml(NAME, cache, base)
        lacking = [name for name in (*FEATURES, LABEL) if name not in table]
        if lacking:
            raise DseError(f"{cache.expanduser() / NAME}.arff: there is no column {', '.join(lacking)}. Remove the file.")
        found = Data(table[list(FEATURES)].to_numpy(), files.labels(Path(NAME), table[LABEL].to_numpy(), CLASSES))
    else:
        table_like = Path(path).suffix.lower() in files.TABLES
        found = files.from_file(path, FEATURES, LABEL if table_like else "y", CLASSES)
    x = found.x.astype("float64")
    spread = x.std(axis=0)
    return Data((x - x.mean(axis=0)) / (spread + (spread == 0)), found.y)
