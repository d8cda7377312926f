"""What a layer costs, and the prices of the operators that all closed forms share."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

#: The figures of an estimate, in the order of their columns.
FIGURES = ("dsp", "lut", "ff", "bram_18k", "latency_cycles", "interval_cycles")

#: LUTs that csynth states for a multiplexer, by its ways (Vivado HLS 2018.3 to 2020.1; hardly any dependence on width).
_MUX = {1: 0, 2: 9, 4: 21, 8: 43, 16: 65, 32: 153, 64: 273, 128: 673, 256: 1362}

#: LUTs that csynth states for a shift by a variable amount, by the word's bits: up to 256 as reports of Vivado HLS 2019.2 list
#: them, 2171 for every longer word (half of what 512 to 4096 bits have in common in 634 layers of Vivado HLS 2020.1).
_SHIFT = ((16, 35.0), (32, 101.0), (64, 182.0), (256, 950.0), (512, 2171.0))


@dataclass(frozen=True, slots=True)
class Cost:
    """Blocks, and cycles per input of the network: until the last result is there, and until the next input may start."""

    dsp: float = 0.0
    lut: float = 0.0
    ff: float = 0.0
    bram_18k: float = 0.0
    latency_cycles: float = 0.0
    interval_cycles: float = 1.0

    def times(self, copies: float) -> Cost:
        """The same thing built `copies` times; they run at the same time."""
        found = (self.dsp * copies, self.lut * copies, self.ff * copies, self.bram_18k * copies)
        return Cost(*found, self.latency_cycles, self.interval_cycles)

    def plus(self, other: Cost) -> Cost:
        """Both beside one another: blocks add up, cycles are this one's."""
        found = (self.dsp + other.dsp, self.lut + other.lut, self.ff + other.ff, self.bram_18k + other.bram_18k)
        return Cost(*found, self.latency_cycles, self.interval_cycles)


def mux_luts(ways: float) -> float:
    """LUTs of a multiplexer as csynth counts them, for the next power of two of `ways`."""
    ways = 2 ** math.ceil(math.log2(max(ways, 1)))
    return _MUX[int(ways)] if ways in _MUX else _MUX[256] * ways / 256


def shift_luts(bits: float) -> float:
    """LUTs of a shift of a word by a variable amount as csynth counts them; between the listed widths a power of the width."""
    if bits <= _SHIFT[0][0]:
        return _SHIFT[0][1] * bits / _SHIFT[0][0]
    for (narrow, low), (wide, high) in itertools.pairwise(_SHIFT):
        if bits <= wide:
            return low * math.pow(high / low, math.log(bits / narrow) / math.log(wide / narrow))
    return _SHIFT[-1][1]


def adder_luts(bits: float) -> float:
    """LUTs of one addition or comparison standing alone: its width and 7 (csynth of Vivado HLS 2020.1 and Vitis HLS 2023.2)."""
    return bits + 7


def ram_blocks(depth: int, bits: float) -> int:
    """18-kbit blocks of a memory: 36 bits wide to a depth of 512, 18 to 1024, deeper ones stacked (AMD UG573, table 1-1)."""
    if depth <= 512:
        return math.ceil(bits / 36)
    full, rest = divmod(depth, 1024)
    narrow = 36 if rest <= 512 else 18
    return full * math.ceil(bits / 18) + (math.ceil(bits / narrow) if rest else 0)
