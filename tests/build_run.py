"""Builds run folders that look like real sweeps: digits MLPs (64-32-16-10) whose figures follow rough laws, and oddities."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path

from dse import journal
from dse.design import build
from dse.goals import Goals, Limit, Objective
from dse.metrics import Judge, Measurement, Metric, Source
from dse.record import Failure, Record
from dse.run import RECORDS_FILE, STUDY_FILE, Asked, Run, added_row, open_run

PART = "xc7z020clg400-1"
RESOURCES = {"dsp": 220, "lut": 53200, "ff": 106400, "bram_18k": 280, "uram": 0}
JUDGE = Judge("estimate", "csynth", "law-1", "estimated", PART, 5.0)
VITIS = Judge("vitis", "Vitis HLS", "2023.2", "hls", PART, 5.0)
OBJECTIVES = (Objective("accuracy"), Objective("dsp"), Objective("lut"), Objective("latency_ns"))
LIMITS = (Limit("accuracy", at_least=0.9), Limit("lut", at_most=53200), Limit("dsp", at_most_percent=100))
EMULATION = Source("emulate", "hls4ml", "1.3.0", "emulated", "e" * 64)
SYNTHESIS = Source("synthesize", "estimate", "law-1", "estimated", "5" * 64)
SHAPES = {"fc1": (64, 32), "fc2": (32, 16), "output": (16, 10)}
ROWS = 359


def goals(objectives=OBJECTIVES, limits=LIMITS, judge=JUDGE):
    return Goals(tuple(objectives), tuple(limits), judge, RESOURCES)


def parameters_of(random_):
    """One random choice for every knob."""
    found = {
        "weight_bits": random_.randint(3, 12),
        "activation_bits": random_.randint(3, 12),
        "sparsity": round(random_.randrange(10) / 10, 1),
        "reuse_factor": random_.choice([1, 2, 4, 8, 16, 32]),
        "strategy": random_.choice(["latency", "resource"]),
        "io_type": random_.choice(["io_parallel", "io_stream"]),
    }
    if random_.random() < 0.3:
        found["weight_bits.output"] = random_.randint(3, 12)
    return found


def layers_of(design):
    """Rough figures per layer: multipliers over reuse in DSP or LUT, adder trees and multiplexers in LUT."""
    found, hardware, compression = {}, design.hardware, design.compression
    for name, (n_in, n_out) in SHAPES.items():
        bits, reuse = compression.weight_bits.of(name), hardware.reuse_factor.of(name)
        alive = math.ceil(n_in * n_out * (1 - compression.sparsity.of(name)))
        if hardware.strategy.of(name) == "resource":
            multipliers = math.ceil(n_in * n_out / reuse)
            lut = 18 * n_out * math.sqrt(reuse) + multipliers * bits * 1.5
            cycles = reuse + 2
        else:
            multipliers, cycles = math.ceil(alive / reuse), reuse + math.ceil(math.log2(n_in)) // 2
            lut = multipliers * bits * 3.5 + n_out * 40
        dsp = multipliers if bits >= 9 else math.ceil(multipliers * 0.3) if bits >= 7 else 0
        found[name] = {
            "dsp": dsp,
            "lut": round(lut),
            "ff": round(lut * 0.6),
            "latency_cycles": cycles,
            "interval_cycles": reuse,
        }
        relu = f"relu_{name}"
        found[relu] = {"dsp": 0, "lut": n_out * 9, "ff": n_out * 6, "latency_cycles": 1, "interval_cycles": 1}
    return {name: {**row, "latency_ns": 5.0 * row["latency_cycles"]} for name, row in found.items()}


def totals_of(layers):
    total = {name: float(sum(row[name] for row in layers.values())) for name in ("dsp", "lut", "ff", "latency_cycles")}
    return {
        **total,
        "bram_18k": 0.0,
        "interval_cycles": float(max(row["interval_cycles"] for row in layers.values())),
        "latency_ns": 5.0 * total["latency_cycles"],
    }


def emulated(design, random_):
    """Accuracy that falls with few bits and much sparsity, in whole rows of the validation split."""
    few = [math.exp(-1.1 * (bits - 1.5)) for bits in design.compression.weight_bits.values]
    few.append(math.exp(-1.2 * (design.compression.activation_bits.of("fc1") - 1.4)))
    lost = 0.5 * max(few) + 0.2 * sum(few) / len(few) + 0.12 * design.compression.sparsity.of("fc1") ** 6
    rows = round(ROWS * max(0.1, 0.978 - lost - 0.006 * random_.random()))
    values = {"accuracy": rows / ROWS, "accuracy_n": ROWS, "agreement": 1.0, "accuracy_float": 0.978, "agreement_test": 1.0}
    return Measurement(EMULATION, values)


def synthesized(design, judge=JUDGE, source=SYNTHESIS, scale=1.0, *, sure=False):
    """Figures of a judge; estimates carry intervals and grades."""
    layers = layers_of(design)
    values = totals_of(layers)
    values["lut"] = round(values["lut"] * scale)
    if sure:
        return Measurement(source, values, judge)
    intervals = {name: (round(0.75 * values[name]), round(1.3 * values[name])) for name in ("lut", "ff")}
    return Measurement(source, values, judge, layers, intervals, dict.fromkeys(values, "law"))


def effective_of(design):
    found = {"part": PART, "clock_ns": 5.0, "io_type": design.hardware.io_type}
    for name in SHAPES:
        bits = design.compression.weight_bits.of(name)
        found |= {f"reuse_factor.{name}": design.hardware.reuse_factor.of(name), f"weight_type.{name}": f"fixed<{bits},1>"}
    return found


FAILURES = (
    Failure("convert", "invalid", "layer fc1: reuse_factor asked 32, built 16.", "dse run: see the effective configuration"),
    Failure(
        "emulate", "mismatch", "agreement 0.9972, must be 1: row 17, output 3 is 0.25 in the emulation, 0.5 in the reference."
    ),
    Failure("synthesize", "timeout", "vitis-run took longer than 3600 s.", "INFO: [HLS 200-10] Running\nINFO: scheduling ..."),
    Failure("emulate", "memory", "worker 4711 was killed (signal 9): out of memory."),
    Failure("emulate", "mismatch", "agreement 0.0, must be 1: row 0, output 0 is 6.4 in the emulation, 0 in the reference."),
)


def record_of(trial, parameters, random_, limits=LIMITS):
    """One plausible record: measured, pruned for hopeless accuracy, or failed."""
    design = build(parameters)
    seconds = {"train": 0.0, "compress": random_.uniform(4, 7), "convert": random_.uniform(0.8, 1.4)}
    entries = {stage: f"{random_.getrandbits(256):064x}" for stage in ("train", "compress", "convert", "emulate", "synthesize")}
    common = {"entries": entries, "finished": f"2026-05-04T10:{trial // 60 % 60:02}:{trial % 60:02}+00:00"}
    if trial % 11 == 5:
        failure = FAILURES[trial // 11 % len(FAILURES)]
        return Record(trial, design, effective_of(design), failure=failure, seconds=seconds, **common)
    seconds["emulate"] = random_.uniform(3.5, 5.5)
    found = emulated(design, random_)
    floor = next((limit for limit in limits if limit.metric == "accuracy"), None)
    if floor is not None and floor.shortfall(found.values["accuracy"], RESOURCES) > 0.02:
        return Record(trial, design, effective_of(design), (found,), pruned=str(floor), seconds=seconds, **common)
    seconds["synthesize"] = random_.uniform(0.01, 0.03)
    return Record(trial, design, effective_of(design), (found, synthesized(design)), seconds=seconds, **common)


def write_run(folder, records, *, what=None, name="digits", asked=()):
    """The folder of a sweep with these records; returns it as a reader sees it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    study = {"v": 1, "name": name, "goals": (what or goals()).as_json()}
    (folder / STUDY_FILE).write_text(json.dumps(study, indent=1))
    rows = [record.as_json() for record in records]
    journal.append(folder / RECORDS_FILE, [*rows, *(trial.as_json() for trial in asked)])
    return open_run(folder)


def build_run(folder, trials=60, *, what=None, name="digits", seed=0) -> Run:
    """A sweep of `trials` records with failures, infeasible and pruned designs, two running trials and a second judge."""
    random_ = random.Random(seed)
    limits = (what or goals()).limits
    records = [record_of(trial, parameters_of(random_), random_, limits) for trial in range(trials)]
    asked = [Asked(trials + n, build(parameters_of(random_)), {}, f"2026-05-04T11:00:0{n}+00:00") for n in range(2)]
    write_run(folder, records, what=what, name=name, asked=asked)
    source = Source("synthesize", "Vitis HLS", "2023.2", "hls", "7" * 64)
    measured = [record for record in records if record.judges][:8]
    journal.append(
        Path(folder) / RECORDS_FILE,
        [added_row(r.trial, (synthesized(r.design, VITIS, source, 0.62, sure=True),)) for r in measured],
    )
    return open_run(Path(folder))


def plain_record(trial, *, judge=JUDGE, failure=None, pruned="", knobs=None, **values):
    """A record with exactly these figures: emulated ones without a judge, the rest from `judge`."""
    known = {name: value for name, value in values.items() if name.startswith(("accuracy", "agreement"))}
    costs = {name: value for name, value in values.items() if name not in known}
    if known:
        known.setdefault("agreement_test", 1.0)
    measurements = [Measurement(EMULATION, known)] if known else []
    measurements += [Measurement(SYNTHESIS, costs, judge)] if costs else []
    design = build({"weight_bits": 8, "activation_bits": 8, "reuse_factor": trial + 1, **(knobs or {})})
    return Record(trial, design, {}, tuple(measurements), failure, pruned)


#: Scores of a study's own: one that is a fraction, one that may be anything.
OWN = (
    Metric("rejection", "fraction", "max", "background rejected at 90 % efficiency; validation split"),
    Metric("bias", "GeV", "", "mean of predicted minus true; validation split"),
)


def own_run(folder, count=12):
    """A sweep that maximises a score of its own and bounds another, which is negative for some designs."""
    what = Goals((Objective("rejection", "max"), Objective("lut")), (Limit("bias", at_least=-2.5),), JUDGE, RESOURCES, OWN)
    records = []
    for n in range(count):
        plain = plain_record(n, lut=1000 + 100 * n)
        scores = Measurement(EMULATION, {"rejection": 0.5 + n / 40, "bias": 2.0 - n / 2, "agreement_test": 1.0}, own=OWN)
        records.append(replace(plain, measurements=(scores, *plain.measurements)))
    return write_run(folder, records, what=what, name="rejection")
