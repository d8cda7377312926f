"""Fit the estimate's prices, delays and interval widths; write `dse/synth/estimate/fit.json`.

    python tools/fit_estimate.py SHARED [--check | --left-out]

SHARED holds `synthesis/dense_layers.csv`, `synthesis/dense_outcomes.csv`, `synthesis/designs.csv` and `reports/` (hundreds of
layers and designs published by five groups; see the README there for sources and licences). Prices are non-negative least
squares of relative errors, delays a seeded random search. Interval widths are conformal quantiles of errors on what the fit
has not seen: whole projects for grade "law" (the widest of their quantiles), other shapes of the campaign for "calibrated".
`--check` prints the cross-validation and writes nothing; `--left-out` fits everything, widths included, without each project in
turn, and prints how often the intervals hold on that project's layers and networks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from estimate_coverage import fitted, left_out, unseen
from estimate_facts import netlist_ratios, outcomes
from estimate_prices import samples
from estimate_scores import network_judges, network_scores, summary

from dse.synth.estimate.fit import read

ARTEFACT = Path(__file__).parents[1] / "dse" / "synth" / "estimate" / "fit.json"
VERSION = "law-7"


def main() -> None:
    """Fit, validate, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--check", action="store_true", help="print the validation and write nothing")
    parser.add_argument("--left-out", action="store_true", help="print coverage on projects left out, and write nothing")
    parser.add_argument("--tries", type=int, default=4000, help="points of the search for delays")
    given = parser.parse_args()
    everything = samples(given.shared / "synthesis" / "dense_layers.csv")
    if given.left_out:
        for row in left_out(everything, given.shared, given.tries):
            print(json.dumps(row), flush=True)
        return
    found = unseen(everything, given.tries)
    for name, costs in (("project", found.by_project), ("shape", found.by_shape)):
        for project, row in summary(everything, costs).items():
            print(json.dumps({"held out by": name, "project": project, **row}))
    if given.check:
        return
    fit = {
        "version": VERSION,
        "made_by": "tools/fit_estimate.py",
        "data": {p: sum(s.project == p for s in everything) for p in sorted({s.project for s in everything})},
        **fitted(everything, found, given.tries),
        "ratios": netlist_ratios(given.shared),
        "outcomes": outcomes(given.shared / "synthesis" / "dense_outcomes.csv"),
    }
    fit["scores"]["network"] = network_scores(network_judges(given.shared, fit["prices"]))
    read(fit)
    ARTEFACT.write_text(json.dumps(fit, indent=1) + "\n")


if __name__ == "__main__":
    main()
