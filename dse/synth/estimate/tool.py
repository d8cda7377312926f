"""What of the tool and the part decides how a layer is built."""

from __future__ import annotations

from dataclasses import dataclass

from dse.network import Network
from dse.parts import Part

#: Share of the clock period that the tool keeps back: hls4ml 1.3.0, `clock_uncertainty` of its Vivado and Vitis backends.
UNCERTAINTY = {"Vivado": 0.125, "Vitis": 0.27}
#: Widths of one DSP block's multiplier: DSP48E1 (AMD UG479) and DSP48E2 (AMD UG579).
DSP_PORTS = {"7series": (25, 18), "ultrascale": (27, 18), "ultrascale+": (27, 18)}
#: The tools take a DSP block where the product is wider than this and LUTs where it is not: read off the blocks of published
#: layers, which it reproduces for Vivado HLS 2019.2 and 2020.1 and for Vitis HLS 2022.2 to 2025.1.
FABRIC_PRODUCT_BITS = 20
#: How much slower than on UltraScale+ logic is, in the delays that the tools' own schedules state: additions of 5 to 13 bits
#: take 1.67 to 1.78 ns on xc7z020-1 (Vivado HLS 2020.1), of 12 to 20 bits 0.73 to 0.80 ns on xcu55c-2L (Vitis HLS 2022.2).
#: UltraScale is not among them: put a quarter of the way.
SLOWER = {"7series": 2.3, "ultrascale": 1.3, "ultrascale+": 1.0}
#: A DSP block's multiplication to a product of 21 bits on UltraScale+, ns (the same schedule of Vitis HLS 2022.2).
BLOCK_NS, BLOCK_BITS = 1.94, 21


@dataclass(frozen=True, slots=True)
class Tool:
    """The vendor's high-level synthesis as a layer meets it.

    `family` as in `Part`, `budget_ns` the clock period less the tool's uncertainty, `multipliers` "auto" or what a directive
    forces ("dsp", "fabric").
    """

    family: str
    clock_ns: float
    budget_ns: float
    vitis: bool
    multipliers: str = "auto"

    def fabric_bits(self, input_bits: int) -> int:
        """The widest constant whose product with an input of `input_bits` stays in LUTs; 0: none does."""
        if self.multipliers == "auto":
            return max(FABRIC_PRODUCT_BITS - input_bits, 0)
        return 0 if self.multipliers == "dsp" else 1 << 30

    def block_ns(self, product_bits: float) -> float:
        """How long a DSP block's multiplication takes without registers."""
        return BLOCK_NS * SLOWER[self.family] * product_bits / BLOCK_BITS

    @property
    def logic_ns(self) -> float:
        """The budget as logic on UltraScale+ would find it."""
        return self.budget_ns / SLOWER[self.family]

    def blocks(self, input_bits: int, constant_bits: int) -> int:
        """DSP blocks of one multiplication: as many tiles as the block's two ports make necessary."""
        wide, narrow = DSP_PORTS[self.family]
        long, short = max(input_bits, constant_bits), min(input_bits, constant_bits)
        return -(-long // wide) * -(-short // narrow)


def tool_for(network: Network, part: Part) -> Tool:
    """The tool that builds `network`: its backend's default uncertainty, no directives."""
    vitis = network.backend not in ("Vivado", "VivadoAccelerator")
    budget = network.clock_ns * (1 - UNCERTAINTY["Vitis" if vitis else "Vivado"])
    return Tool(part.family, network.clock_ns, budget, vitis)
