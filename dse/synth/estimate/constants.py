"""The constant weights of a product sum, as a synthesiser meets them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dse.network import FixedType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Widths up to which weights are counted by value: there are fewer values than weights.
TABLE_BITS = 10


@dataclass(frozen=True, slots=True)
class Constants:
    """What `n_in * n_out` constant weights cost before any tool decides; counts, or expected counts where only sums are known.

    A constant multiplication in fabric is one addition less than the constant has non-zero digits in non-adjacent form
    (Booth 1951; Reitwiesner 1960). Equal constants on the same input are multiplied once: `shifts`, `pairs` and
    `products` count different constants per input.
    """

    count: float
    #: weights that are not zero: one term of a sum each
    terms: float
    #: different constants of one digit: a shift, sometimes a negation
    shifts: float
    #: different constants of two digits: one addition
    pairs: float
    #: different constants of three digits and more, by width in bits: multipliers
    products: tuple[tuple[int, float], ...]
    #: sum of the digits of all weights
    digits: float
    #: mean width of the non-zero constants
    mean_bits: float
    #: width of a signed number that holds every weight
    range_bits: int

    @property
    def multipliers(self) -> float:
        """Different constants of three digits and more."""
        return sum(count for _, count in self.products)

    def wider(self, bits: int) -> float:
        """How many of the multipliers have a constant of more than `bits` bits."""
        return sum(count for width, count in self.products if width > bits)

    def area(self, bits: int) -> float:
        """Sum of the widths of the multipliers whose constant has at most `bits` bits."""
        return sum(count * width for width, count in self.products if width <= bits)


def digits_of(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Non-zero digits of the non-adjacent form: the ones of v xor 3v (Prodinger, Integers 0, 2000)."""
    import numpy as np

    sizes = np.abs(values)
    ones: NDArray[np.int64] = np.bitwise_count(sizes ^ (3 * sizes)).astype(np.int64)
    return ones


def widths_of(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bits that the tool gives a constant: unsigned where positive, two's complement where negative."""
    import numpy as np

    negative = values < 0
    sizes = np.where(negative, -values - 1, values)
    exponents: NDArray[np.int64] = np.frexp(sizes.astype(np.float64))[1].astype(np.int64)
    return exponents + negative.astype(np.int64)


@lru_cache(maxsize=8)
def _every(bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """All numbers from -2**bits to 2**bits - 1, their digits and their widths."""
    import numpy as np

    values = np.arange(-(1 << bits), 1 << bits, dtype=np.int64)
    return values, digits_of(values), widths_of(values)


def constants_of(weights: NDArray[np.float64], kind: FixedType) -> Constants:
    """Count the constants of quantised weights; the last axis is the outputs, all others together the inputs."""
    import numpy as np

    # weights are whole multiples of the step, rounding only removes what the division adds
    whole = np.rint(weights.reshape(-1, weights.shape[-1]) * (1.0 / kind.step))
    values = np.sort(whole.astype(np.int16 if kind.width <= 15 else np.int32), axis=1)
    first = np.ones(values.shape, dtype=bool)
    np.not_equal(values[:, 1:], values[:, :-1], out=first[:, 1:])
    if kind.width > TABLE_BITS:
        flat = values.ravel().astype(np.int64)
        return summarise(flat, digits_of(flat), widths_of(flat), (first.ravel(), np.ones(flat.size)))
    every, digits, widths = _every(kind.width)
    place = values + (1 << kind.width)
    different = np.bincount(place[first], minlength=every.size)
    return summarise(every, digits, widths, (different, np.bincount(place.ravel(), minlength=every.size)))


def summarise(
    values: NDArray[np.int64],
    digits: NDArray[np.int64],
    widths: NDArray[np.int64],
    met: tuple[NDArray[Any], NDArray[Any]],
) -> Constants:
    """`Constants` from values; `met` tells how many inputs meet each for the first time, and how often each occurs in all."""
    import numpy as np

    different, occurring = met
    wide = digits > 2
    by_width = np.bincount(widths[wide], weights=different[wide])
    used = (digits > 0) * occurring
    terms = float(used.sum())
    signed = (widths + (values > 0))[used > 0]
    return Constants(
        count=float(occurring.sum()),
        terms=terms,
        shifts=float(different[digits == 1].sum()),
        pairs=float(different[digits == 2].sum()),
        products=tuple((width, count) for width, count in enumerate(by_width.tolist()) if count > 0),
        digits=float(digits @ occurring),
        mean_bits=float(widths @ used) / terms if terms > 0 else 0.0,
        range_bits=int(signed.max()) if signed.size else 1,
    )
