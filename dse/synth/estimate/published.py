"""Dense layers as published tables state them: sums over the weights instead of weights, and cells left empty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dse.errors import UsageError
from dse.network import FixedType
from dse.parts import part
from dse.synth.estimate.constants import Constants, digits_of, summarise, widths_of
from dse.synth.estimate.fit import Fit
from dse.synth.estimate.layer import Supported, collecting, product_cost
from dse.synth.estimate.product import ProductSum
from dse.synth.estimate.tool import UNCERTAINTY, Tool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Row = Mapping[str, str]

#: hls4ml's default precision, ap_fixed<16,6>: what inputs have where nothing else is said.
DEFAULT_BITS = 16
#: Trained weights are between normal (2) and Laplace (1) distributed: exponent of the size in the density.
SHAPE = 1.5


@dataclass(frozen=True, slots=True)
class PublishedLayer:
    """One row: what was built and with which tool; `streamed`: the function also holds the inputs that a stream brought."""

    product: ProductSum
    tool: Tool
    streamed: bool = False

    def cost(self, fit: Fit) -> Supported:
        """What the law says of the row's function; StageFailed("unsupported") where there is none."""
        found = product_cost(self.product, self.tool, fit)
        return Supported(found.cost.plus(collecting(self.product)), "law", found.scores) if self.streamed else found


def number(row: Row, column: str) -> float | None:
    """The cell as a number; None where it is empty or absent, UsageError where it is no number."""
    text = (row.get(column) or "").strip()
    if text in ("", "?", "-", "nan", "NaN", "None", "undef"):
        return None
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"column {column!r}: expected a number or an empty cell, got {text!r}.") from None


def layers_of(rows: Iterable[Row]) -> list[PublishedLayer | str]:
    """All rows of one table; instead of a layer the reason where a row lacks its shape or contradicts itself."""
    found = list(rows)
    first: dict[tuple[str, str], float] = {}
    for row in found:
        first[_design(row)] = min(first.get(_design(row), float("inf")), _position(row))
    layers: list[PublishedLayer | str] = []
    for row in found:
        try:
            product = _product(row, leads=_position(row) <= first[_design(row)])
            layers.append(PublishedLayer(product, tool_of(row), row.get("module", "").startswith(STREAMED)))
        except UsageError as error:
            layers.append(str(error))
    return layers


def _design(row: Row) -> tuple[str, str]:
    return row.get("source", ""), row.get("design_id", "")


def _position(row: Row) -> float:
    """hls4ml numbers its configurations in order: config2 comes before config5."""
    found = re.search(r"(\d+)$", row.get("layer", ""))
    return float(found[1]) if found else 0.0


def _product(row: Row, *, leads: bool) -> ProductSum:
    n_in, n_out = _needed(row, "n_in"), _needed(row, "n_out")
    bits = _bits(row, "weight_type") if number(row, "weight_bits") is None else _needed(row, "weight_bits")
    if bits is None:
        raise UsageError("neither 'weight_bits' nor 'weight_type' is stated.")
    return ProductSum(
        n_in=n_in,
        n_out=n_out,
        strategy=(row.get("strategy") or "latency").lower(),
        reuse_factor=_reuse_factor(row),
        input_bits=_input_bits(row, bits, leads=leads),
        weight_bits=bits,
        accumulator_bits=_bits(row, "accum_type") or _bits(row, "output_type") or DEFAULT_BITS,
        constants=expected_constants(row, n_in, n_out, bits),
        biases=n_out,
        packed=row.get("stage", "") == "csynth top",
    )


#: How the function of a streamed dense layer begins that Vivado HLS states with its inputs' registers; those of io_parallel are
#: called `dense_resource`, those of Vitis HLS `dense_latency_wrapper`, and state the product sum alone.
STREAMED = "dense_wrapper"
#: Reuse factors that a source states rounded to a legal one although the latency strategy builds what was asked for.
ASKED = {("wa_hls4ml_dense_2024", 1024): 1023}


def _reuse_factor(row: Row) -> int:
    reuse = 1 if number(row, "reuse_factor") is None else _needed(row, "reuse_factor")
    latency = (row.get("strategy") or "latency").lower() == "latency"
    return ASKED.get((row.get("source", ""), reuse), reuse) if latency else reuse


def _needed(row: Row, column: str) -> int:
    value = number(row, column)
    if value is None or value < 1:
        raise UsageError(f"column {column!r} must be 1 or more, got {row.get(column)!r}.")
    return int(value)


def _bits(row: Row, column: str) -> int | None:
    """The width of a type; None where there is none, or one of another tool's."""
    try:
        return FixedType.parse(row.get(column) or "").width
    except ValueError:
        return None


def _input_bits(row: Row, weight_bits: int, *, leads: bool) -> int:
    """The stated input width, where input and output are told apart.

    The name of a dense function that states one type only states the accumulator's. Then the first layer of a design has
    hls4ml's default width, later ones activations as wide as their weights.
    """
    stated = _bits(row, "input_type")
    if stated is not None and (row.get("output_type") or "").strip():
        return stated
    return DEFAULT_BITS if leads else weight_bits


def tool_of(row: Row) -> Tool:
    """The tool of a row: Vitis HLS from 2020.2 on, its larger uncertainty with hls4ml's Vitis backend (2022 and later)."""
    clock = number(row, "clock_target_ns")
    version = re.match(r"(\d{4})\.(\d)", row.get("tool_version") or "")
    year = (int(version[1]), int(version[2])) if version else (2023, 1)
    clock = 5.0 if clock is None else clock
    budget = clock * (1 - UNCERTAINTY["Vitis" if year >= (2022, 1) else "Vivado"])
    forced = {"dsp": "dsp", "lut": "fabric", "fabric": "fabric"}.get((row.get("mult_impl") or "").lower(), "auto")
    return Tool(_family(row.get("part") or ""), clock, budget, year >= (2020, 2), forced)


def _family(name: str) -> str:
    try:
        return part(name).family
    except UsageError:
        return "7series" if name.lower().startswith("xc7") else "ultrascale+"


def expected_constants(row: Row, n_in: int, n_out: int, bits: int) -> Constants:
    """The constants that weights with the row's sums are expected to have.

    Their sizes are drawn from exp(-(size / s) ** SHAPE) up to the largest one, with s chosen to reproduce the share of powers
    of two and the signed digits that the row states; equal constants per input follow from n_out draws.
    """
    import numpy as np

    count = float(n_in * n_out)
    largest = number(row, "max_abs_q")
    sizes = np.arange(1, max(int(largest) if largest is not None else 1 << (bits - 1), 1) + 1, dtype=np.int64)
    zeros, nonzero = number(row, "n_zero"), number(row, "n_nonzero")
    if nonzero is None:
        nonzero = count - (zeros if zeros is not None else 0.0)
    if not 0 <= nonzero <= count:
        raise UsageError(f"{nonzero:g} non-zero weights of {count:g}: inconsistent.")
    shares = _shares(sizes, nonzero, number(row, "n_pow2"), number(row, "sum_csd_digits")) * (nonzero / count) / 2
    values = np.concatenate([sizes, -sizes])
    shares = np.concatenate([shares, shares])
    met = (n_in * (1 - (1 - shares) ** n_out), shares * count)
    return replace(summarise(values, digits_of(values), widths_of(values), met), count=count)


def _shares(sizes: NDArray[np.int64], nonzero: float, powers: float | None, digits: float | None) -> NDArray[np.float64]:
    import numpy as np

    if nonzero <= 0:
        return np.zeros(sizes.size)
    own = digits_of(sizes)
    scales = np.geomspace(0.05, 10.0 * sizes[-1], 120) if powers is not None or digits is not None else [sizes[-1] / 2.5]
    best, least = np.zeros(sizes.size), np.inf
    for scale in scales:
        share = np.exp(-((sizes / scale) ** SHAPE))
        share /= share.sum()
        miss = 0.0 if powers is None else 4 * (float(share[own == 1].sum()) - powers / nonzero) ** 2
        miss += 0.0 if digits is None else (float(share @ own) / (digits / nonzero) - 1) ** 2
        if miss < least:
            best, least = share, miss
    return best
