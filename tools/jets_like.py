"""Write a file of the format of the LHC jets (16 features, 5 classes), drawn at random: nothing in it is physics.

    python tools/jets_like.py jets.csv --rows 20000
    dse run studies/jets.py --data jets.csv

The classes overlap about as much as those of real jets (accuracy 0.7 to 0.75). Use the real data set for anything else.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from dse.datasets.tagging import CLASSES, FEATURES, LABEL


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Rows of correlated features whose means and products depend on the class."""
    random = np.random.default_rng(seed)
    y = random.integers(len(CLASSES), size=rows)
    means = random.normal(size=(len(CLASSES), len(FEATURES))) * 0.3
    mixing = random.normal(size=(len(CLASSES), len(FEATURES), len(FEATURES))) / 12
    x = means[y] + np.einsum("nf,nfg->ng", random.normal(size=(rows, len(FEATURES))), mixing[y] + np.eye(len(FEATURES)))
    table = pd.DataFrame(x.astype(np.float32), columns=list(FEATURES))
    return table.assign(**{LABEL: np.array(CLASSES)[y]})


def main() -> None:
    """Write the file, csv or Parquet by its name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    table = draw(given.rows, given.seed)
    if given.path.suffix == ".parquet":
        table.to_parquet(given.path, index=False)
    else:
        table.to_csv(given.path, index=False)


if __name__ == "__main__":
    main()
