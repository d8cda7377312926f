"""Resources of the FPGA parts that hls4ml users have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from dse.errors import UsageError


@dataclass(frozen=True, slots=True)
class Part:
    """What one part offers.

    `name` is the full part string, `device` the piece of it that decides the resources, `family` one of "7series",
    "ultrascale", "ultrascale+" (they differ in the DSP block: DSP48E1 multiplies 25 x 18 bits, DSP48E2 27 x 18), `source` the
    vendor's document or what the user states.
    """

    name: str
    device: str
    family: str
    dsp: int
    lut: int
    ff: int
    bram_18k: int
    uram: int
    source: str

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise UsageError(f"part {self.name}: family must be one of {', '.join(FAMILIES)}; got {self.family!r}.")
        for name, count in self.resources.items():
            if count < 0:
                raise UsageError(f"part {self.name}: {name} must be 0 or more, got {count}.")

    @property
    def resources(self) -> dict[str, int]:
        """Blocks of each kind, named as in METRICS."""
        return {"dsp": self.dsp, "lut": self.lut, "ff": self.ff, "bram_18k": self.bram_18k, "uram": self.uram}

    def utilisation(self, values: Mapping[str, float]) -> dict[str, float]:
        """The share of the part that `values` take, 1.0 for all; what the part lacks or `values` does not state is left out."""
        return {name: values[name] / count for name, count in self.resources.items() if name in values and count > 0}


FAMILIES = ("7series", "ultrascale", "ultrascale+")

# device(s), LUT, DSP, block RAM tiles of 36 kbit, UltraRAM. Grouped by the document that states them.
_TABLES = {
    ("7series", "AMD DS180, 7 Series FPGAs Data Sheet: Overview"): """
        xc7s25 14600 80 45 0        | xc7s50 32600 120 75 0       | xc7s75 48000 140 90 0       | xc7s100 64000 160 120 0
        xc7a15t 10400 45 25 0       | xc7a35t 20800 90 50 0       | xc7a50t 32600 120 75 0      | xc7a75t 47200 180 105 0
        xc7a100t 63400 240 135 0    | xc7a200t 134600 740 365 0   | xc7k70t 41000 240 135 0     | xc7k160t 101400 600 325 0
        xc7k325t 203800 840 445 0   | xc7k355t 222600 1440 715 0  | xc7k410t 254200 1540 795 0  | xc7k420t 260600 1680 835 0
        xc7k480t 298600 1920 955 0  | xc7v585t 364200 1260 795 0  | xc7vx330t 204000 1120 750 0 | xc7vx485t 303600 2800 1030 0
        xc7vx690t 433200 3600 1470 0""",
    ("7series", "AMD DS190, Zynq-7000 SoC Data Sheet: Overview"): """
        xc7z007s 14400 66 50 0      | xc7z012s 34400 120 72 0     | xc7z014s 40600 170 107 0    | xc7z010 17600 80 60 0
        xc7z015 46200 160 95 0      | xc7z020 53200 220 140 0     | xc7z030 78600 400 265 0     | xc7z035 171900 900 500 0
        xc7z045 218600 900 545 0    | xc7z100 277400 2020 755 0""",
    ("ultrascale", "AMD DS890, UltraScale Architecture and Product Data Sheet: Overview"): """
        xcku025 145440 1152 360 0   | xcku035 203128 1700 540 0   | xcku040 242400 1920 600 0   | xcku060 331680 2760 1080 0
        xcku085 497520 4100 1620 0  | xcku095 537600 768 1680 0   | xcku115 663360 5520 2160 0  | xcvu095 537600 768 1728 0
        xcvu190 1074240 1800 3780 0""",
    ("ultrascale+", "AMD DS890, UltraScale Architecture and Product Data Sheet: Overview"): """
        xcku3p 162720 1368 360 48   | xcku5p 216960 1824 480 64   | xcku9p 274080 2520 912 0    | xcku11p 298560 2928 600 80
        xcku13p 341280 3528 744 112 | xcku15p 522720 1968 984 128 | xcvu3p 394080 2280 720 320  | xcvu5p 600577 3474 1024 470
        xcvu7p 788160 4560 1440 640 | xcvu9p 1182240 6840 2160 960 | xcvu11p 1296000 9216 2016 960
        xcvu13p 1728000 12288 2688 1280 | xcvu19p 4085760 3840 2160 320 | xcvu31p 439680 2880 672 320
        xcvu33p 439680 2880 672 320 | xcvu35p 871680 5952 1344 640 | xcvu37p 1303680 9024 2016 960
        xcvu45p 871680 5952 1344 640 | xcvu47p 1303680 9024 2016 960""",
    ("ultrascale+", "AMD DS891, Zynq UltraScale+ MPSoC Data Sheet: Overview"): """
        xczu1cg xczu1eg 37440 216 108 0             | xczu2cg xczu2eg 47232 240 150 0
        xczu3cg xczu3eg 70560 360 216 0             | xczu4cg xczu4eg xczu4ev 87840 728 128 48
        xczu5cg xczu5eg xczu5ev 117120 1248 144 64  | xczu6cg xczu6eg 214604 1973 714 0
        xczu7cg xczu7eg xczu7ev 230400 1728 312 96  | xczu9cg xczu9eg 274080 2520 912 0
        xczu11eg 298560 2928 600 80 | xczu15eg 341280 3528 744 112
        xczu17eg 423403 1590 796 102 | xczu19eg 522720 1968 984 128""",
    ("ultrascale+", "AMD DS889, Zynq UltraScale+ RFSoC Data Sheet: Overview"): """
        xczu21dr xczu27dr xczu28dr xczu29dr xczu39dr xczu43dr xczu46dr xczu47dr xczu48dr xczu49dr 425280 4272 1080 80""",
    ("ultrascale+", "AMD DS962, Alveo U200 and U250 Data Center Accelerator Cards Data Sheet"): """
        xcu200 1182240 6840 2160 960 | xcu250 1728000 12288 2688 1280""",
    ("ultrascale+", "AMD DS963, Alveo U280 Data Center Accelerator Card Data Sheet"): "xcu280 1303680 9024 2016 960",
    ("ultrascale+", "AMD DS965, Alveo U50 Data Center Accelerator Card Data Sheet"): "xcu50 871680 5952 1344 640",
    ("ultrascale+", "AMD DS978, Alveo U55C Data Center Accelerator Card Data Sheet"): "xcu55c 1303680 9024 2016 960",
    ("ultrascale+", "AMD DS987, Kria K26 SOM Data Sheet"): "xck26 117120 1248 144 64",
}


def _rows() -> Iterator[Part]:
    for (family, source), text in _TABLES.items():
        for row in re.split(r"[|\n]", text):
            words = row.split()
            if not words:
                continue
            lut, dsp, tiles, uram = map(int, words[-4:])
            for device in words[:-4]:
                # logic slices of these families have two flip-flops per LUT (AMD UG474, UG574), tiles two 18-kbit halves
                yield Part(device, device, family, dsp, lut, 2 * lut, 2 * tiles, uram, source)


#: By device, the lower-case beginning of the part string.
PARTS: Mapping[str, Part] = MappingProxyType({row.device: row for row in _rows()})


@cache
def part(name: str) -> Part:
    """The resources of the part `name`, with or without package and speed grade: `xcu250-figd2104-2L-e`, `xc7z020clg400-1`.

    UsageError where the device is not in the table: then the study has to state a `Part` by hand.
    """
    text = name.lower()
    for device in sorted(PARTS, key=len, reverse=True):
        # a digit after the device's name would make it another device: xcku11 is not xcku115
        if text.startswith(device) and not text[len(device) : len(device) + 1].isdigit():
            return replace(PARTS[device], name=name)
    raise UsageError(
        f"part {name!r} is not in the table of {len(PARTS)} devices (dse/parts.py). State its resources in the study: "
        "Part(name=..., device=..., family=..., dsp=..., lut=..., ff=..., bram_18k=..., uram=..., source=...)."
    )
