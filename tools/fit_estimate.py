"""Fit the estimate's prices, delays and interval widths; write `dse/synth/estimate/fit.json`.

    python tools/fit_estimate.py SHARED [--check]

SHARED holds `synthesis/dense_layers.csv`, `synthesis/dense_outcomes.csv`, `synthesis/designs.csv` and `reports/` (hundreds of
layers and designs published by five groups; see the README there for sources and licences). Prices are non-negative least
squares of relative errors, delays a seeded random search. Interval widths are split-conformal quantiles of errors on what the
fit has not seen: other sources for grade "law", other shapes of the campaign for "calibrated". `--check` prints the
cross-validation and writes nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from estimate_facts import netlist_ratios, outcomes
from estimate_prices import fit_prices, samples
from estimate_scores import OFFSETS, domains, held_out, law_scores, network_scores, scores_of, summary

from dse.synth.estimate.fit import read

ARTEFACT = Path(__file__).parents[1] / "dse" / "synth" / "estimate" / "fit.json"
VERSION = "law-2"


def main() -> None:
    """Fit, validate, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--check", action="store_true", help="print the validation and write nothing")
    parser.add_argument("--tries", type=int, default=800, help="points of the search for delays")
    given = parser.parse_args()
    everything = samples(given.shared / "synthesis" / "dense_layers.csv")
    by_source = held_out(everything, [s.source for s in everything], given.tries)
    shapes = sorted({s.shape for s in everything})
    by_shape = held_out(everything, [shapes.index(s.shape) % 5 for s in everything], given.tries // 2)
    for name, costs in (("source", by_source), ("shape", by_shape)):
        for project, row in summary(everything, costs).items():
            print(json.dumps({"held out by": name, "project": project, **row}))
    if given.check:
        return
    prices = fit_prices(everything, given.tries)
    found = {
        "version": VERSION,
        "made_by": "tools/fit_estimate.py",
        "data": {p: sum(s.project == p for s in everything) for p in sorted({s.project for s in everything})},
        "prices": prices,
        "offsets": OFFSETS,
        "domains": domains(everything, scores_of(everything, by_shape)),
        "scores": {
            **law_scores(everything, scores_of(everything, by_source)),
            "network": network_scores(given.shared, prices),
        },
        "ratios": netlist_ratios(given.shared),
        "outcomes": outcomes(given.shared / "synthesis" / "dense_outcomes.csv"),
    }
    read(found)
    ARTEFACT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
