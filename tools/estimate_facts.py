"""What published attempts and pairs of reports say besides prices: what synthesises, and what the netlist keeps."""

from __future__ import annotations

import csv
import re
import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from estimate_prices import COLUMNS
from estimate_scores import quantile

_CELLS = {"LUT": r"CLB LUTs\*?", "FF": "CLB Registers", "DSP": "DSPs", "BRAM_18K": "Block RAM Tile"}


def outcomes(path: Path) -> list[dict[str, Any]]:
    """How many attempts of each kind ended in a synthesised layer, by non-zero multiplications."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    edges = [0, 1024, 2048, 3072, 4096, 16384, 65536, 1 << 30]
    kinds = {"unrolled": lambda r: r["strategy"] == "latency", "unrolled_resource": lambda r: r["rf"] == "1"}
    found = []
    for low, high in pairwise(edges):
        for kind in ("unrolled", "unrolled_resource", "memory"):
            of_kind = [r for r in rows if kind == next((k for k, test in kinds.items() if test(r)), "memory")]
            some = [r for r in of_kind if low < int(r["d_in"]) * int(r["d_out"]) <= high]
            if some:
                done = sum(r["hls_synth_success"] == "True" for r in some)
                found.append({"kind": kind, "above": low, "to": high, "synthesised": done, "attempts": len(some)})
    return found


def netlist_ratios(shared: Path) -> dict[str, dict[str, list[float]]]:
    """What Vivado's netlist holds of what csynth stated: median ratio and 90 % half-width over pairs of the same design."""
    pairs = {name: [] for name in ("dsp", "lut", "ff", "bram_18k")}
    with (shared / "synthesis" / "designs.csv").open() as file:
        rows = list(csv.DictReader(file))
    stated = {(r["design_id"], r["stage"]): r for r in rows}
    for (design, stage), row in stated.items():
        if stage == "csynth":
            after = stated.get((design, "vsynth")) or _utilisation(shared, row)
            for name, seen in pairs.items():
                column = COLUMNS[name]
                if after is not None and float(row[column]) > 0 and float(after[column]) > 0:
                    seen.append(float(np.log(float(after[column]) / float(row[column]))))
    found = {}
    for name, logs in pairs.items():
        middle = statistics.median(logs)
        found[name] = [round(float(np.exp(middle)), 3), max(quantile([abs(value - middle) for value in logs]), 0.05)]
    return {"netlist": found}


def _utilisation(shared: Path, row: dict[str, str]) -> dict[str, float] | None:
    """Vivado's utilisation report of the same design, where one lies beside the csynth reports."""
    if "do not pair" in row["note"]:
        return None
    words = row["design_id"]
    for path in (shared / "reports").glob("*/*utilization_synth.rpt"):
        if "_".join(re.split(r"__", path.name)[:-2]).replace("_vsynth", "").startswith(words):
            text = path.read_text(errors="replace")
            cells = {name: re.search(rf"\|\s*{label}\s*\|\s*([\d.]+)", text) for name, label in _CELLS.items()}
            if all(cells.values()):
                scale = {"BRAM_18K": 2.0}
                return {name: float(cell[1]) * scale.get(name, 1.0) for name, cell in cells.items() if cell}
    return None
