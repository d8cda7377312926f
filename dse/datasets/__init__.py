"""Data sets: built in, downloaded once, or from a file of one's own."""

from dse.datasets.builtin import breast_cancer, digits
from dse.datasets.files import from_file
from dse.datasets.images import mnist, svhn
from dse.datasets.tagging import jets

__all__ = ["breast_cancer", "digits", "from_file", "jets", "mnist", "svhn"]
