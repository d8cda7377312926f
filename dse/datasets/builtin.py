"""Data sets that need no download: scikit-learn brings them."""

from __future__ import annotations

from dse.data import Data


def digits() -> Data:
    """Handwritten digits of scikit-learn: x (1797, 64) in steps of 1/16 from 0 to 1, 10 classes."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return Data(found.data / 16, found.target)


def breast_cancer() -> Data:
    """Breast cancer Wisconsin (diagnostic) of scikit-learn: x (569, 30) standardised, 2 classes."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    x = found.data
    return Data((x - x.mean(axis=0)) / x.std(axis=0), found.target)
