"""Write a file of the format of Street View House Numbers: scikit-learn's digits, enlarged, shifted and coloured at random.

    python tools/svhn_like.py train_32x32.mat --rows 10000
    dse run studies/svhn.py --data train_32x32.mat

It is for trying the study where the real file cannot be had: accuracies on it say nothing of house numbers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import scipy.io
from sklearn.datasets import load_digits

SIDE = 32
ENLARGED = 24


def draw(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (rows, 32, 32, 3) of bytes and their labels (rows,), drawn with repetition from the 1,797 digits."""
    random = np.random.default_rng(seed)
    found = load_digits()
    chosen = random.integers(len(found.target), size=rows)
    ink = np.zeros((rows, SIDE, SIDE), np.float32)
    places = random.integers(SIDE - ENLARGED + 1, size=(rows, 2))
    for image, pixels, (top, left) in zip(ink, found.images[chosen] / 16, places, strict=True):
        image[top : top + ENLARGED, left : left + ENLARGED] = np.kron(pixels, np.ones((3, 3)))
    ground = random.uniform(0, 1, size=(rows, 1, 1, 3)).astype(np.float32)
    colour = (ground + random.uniform(0.35, 0.65, size=ground.shape)) % 1  # far enough from the ground to be read
    seen = ground + (colour - ground) * ink[..., None] + random.normal(0, 0.05, (rows, SIDE, SIDE, 3)).astype(np.float32)
    return (255 * seen.clip(0, 1)).astype(np.uint8), found.target[chosen]


def main() -> None:
    """Write the file as Stanford's are: X (32, 32, 3, rows), and y (rows, 1) where 10 stands for 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    x, y = draw(given.rows, given.seed)
    y = np.where(y == 0, 10, y).astype(np.uint8)[:, None]
    scipy.io.savemat(given.path, {"X": x.transpose(1, 2, 3, 0), "y": y}, do_compression=True)


if __name__ == "__main__":
    main()
