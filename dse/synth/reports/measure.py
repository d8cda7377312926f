"""Reports as the figures of a record: names of METRICS, unknown figures left out."""

from __future__ import annotations

from collections.abc import Mapping

from dse.synth.reports.report import Module, Report

COUNTS = ("bram_18k", "dsp", "ff", "lut", "uram")


def resources(report: Report) -> dict[str, float]:
    """The counts that a report states."""
    return {name: value for name in COUNTS if (value := report.value(name)) is not None}


def cycles(report: Report, clock_ns: float | None) -> dict[str, float]:
    """Latency and interval, worst case, and latency in ns at the given clock."""
    named = {"latency_cycles": "latency_max", "interval_cycles": "interval_max"}
    found = {name: value for name, key in named.items() if (value := report.value(key)) is not None}
    if "latency_cycles" in found and clock_ns is not None:
        found["latency_ns"] = round(found["latency_cycles"] * clock_ns, 6)
    return found


def hls(csynth: Report) -> dict[str, float]:
    """What C synthesis estimates; `met_timing`: the estimated clock is not above the target."""
    target, estimated = csynth.value("clock_target_ns"), csynth.value("clock_estimated_ns")
    found = resources(csynth) | cycles(csynth, target)
    if estimated is not None:
        found["clock_estimated_ns"] = estimated
        if target is not None:
            found["met_timing"] = float(estimated <= target)
    return found


def implemented(csynth: Report, used: Report, timing: Report, *, routed: bool) -> dict[str, float]:
    """What Vivado has made of the RTL. Cycles are C synthesis' own; in ns they are at the target, routed: achieved clock."""
    achieved = timing.value("clock_estimated_ns")
    found = resources(used) | cycles(csynth, achieved if routed else timing.value("clock_target_ns"))
    if achieved is not None:
        found["clock_estimated_ns"] = achieved
    slack = timing.value("wns_ns")
    if slack is not None:
        found |= {"wns_ns": slack, "met_timing": float(slack >= 0)}
    return found


def layers(modules: tuple[Module, ...]) -> Mapping[str, dict[str, float]]:
    """The same figures per instance; of instances with one name the first."""
    named = {"latency_max": "latency_cycles", "interval_max": "interval_cycles", **{name: name for name in COUNTS}}
    found: dict[str, dict[str, float]] = {}
    for module in modules:
        row = {named[key]: value for key, value in module.values.items() if key in named and value is not None}
        found.setdefault(module.instance, row)
    return found
