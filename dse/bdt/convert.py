"""From the trained ensemble to fixed point, to conifer's HLS project, and to the plain `Network` that all else reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dse.bdt.ensemble import Ensemble
from dse.design import Precision, Scalar
from dse.errors import StageFailed
from dse.fixed import quantise
from dse.network import FixedType, Layer, Network
from dse.nn.train import versions
from dse.study import Target

VERSION = 1
#: Top function and project, and the backend of hls4ml whose tool builds the same C++.
PROJECT, BACKEND = "myproject", "Vitis"
#: Share of the clock that the tool keeps back, and the largest array it takes apart: what hls4ml's Vitis backend asks for.
SETTINGS = 'set project_name "myproject"\nset clock_uncertainty "27%"\nset maximum_size 4096\n'
#: Names of the network's two layers.
INPUT, TREES = "input", "trees"
#: Widths beyond which inputs would not be float32 numbers, as test benches have them.
WIDEST_INPUT = 24


def input_type(ensemble: Ensemble, width: int) -> FixedType:
    """The type of inputs and thresholds: integer bits for all thresholds, inputs beyond are the outermost value.

    StageFailed("invalid") where the width has no room for the thresholds.
    """
    limits = ensemble.threshold[ensemble.inner]
    for integer in range(1, width + 1):
        found = FixedType(width, integer, signed=True, rounding="RND_CONV", saturation="SAT")
        # strictly inside, so that what is cut off is still on the right side of every threshold
        if len(limits) == 0 or (limits.min() > found.low + found.step and limits.max() < found.high - found.step):
            return found
    raise StageFailed("invalid", f"input_width {width} is too small for thresholds from {limits.min():g} to {limits.max():g}.")


def score_type(ensemble: Ensemble, width: int) -> FixedType:
    """The type of leaves and sums: integer bits for the lowest and highest sum that the trees could make.

    At least 2: conifer multiplies each sum by a constant 1 of this type, which with one integer bit would be -1.
    """
    for integer in range(2, width + 1):
        found = FixedType(width, integer)
        low, high = _rounded(ensemble, found).bounds()
        if low.min() >= found.low and high.max() <= found.high:
            return found
    low, high = ensemble.bounds()
    raise StageFailed("invalid", f"result_width {width} is too small for scores from {low.min():.4g} to {high.max():.4g}.")


def _rounded(ensemble: Ensemble, scores: FixedType) -> Ensemble:
    """Leaves and first scores in steps of the type, however far they reach."""
    step = scores.step
    return replace(ensemble, value=np.rint(ensemble.value / step) * step, init=np.rint(ensemble.init / step) * step)


def quantised(ensemble: Ensemble, inputs: FixedType, scores: FixedType) -> Ensemble:
    """Thresholds, leaves and first scores as the hardware has them, rounded half to even."""
    return replace(_rounded(ensemble, scores), threshold=quantise(ensemble.threshold, inputs))


def convert(ensemble: Ensemble, precision: Precision, features: int, target: Target, folder: Path) -> None:
    """Write the project to `folder/project` and the network beside it; StageFailed("invalid") for widths that do not hold."""
    network = foresee(ensemble, precision, features, target)
    _write(network, ensemble_of(network), folder / "project")
    network.save(folder)


def foresee(ensemble: Ensemble, precision: Precision, features: int, target: Target) -> Network:
    """The network that `convert` makes, without a project; StageFailed("invalid") like it."""
    assert precision.input_width is not None
    assert precision.result_width is not None
    types = input_type(ensemble, precision.input_width), score_type(ensemble, precision.result_width.number(TREES))
    return _network(quantised(ensemble, *types), features, types, target)


def _network(built: Ensemble, features: int, types: tuple[FixedType, FixedType], target: Target) -> Network:
    inputs, scores = types
    attributes = {
        "n_in": features,
        "n_out": len(built.init),
        "trees": built.trees,
        "depth": built.depth,
        "nodes": len(built.feature),
        "comparisons": int(built.inner.sum()),
        "convention": built.convention,
    }
    trees = Layer(
        name=TREES,
        kind="trees",
        inputs=(INPUT,),
        input_shape=(features,),
        output_shape=(len(built.init),),
        result_type=scores,
        weight_type=replace(inputs, rounding="TRN", saturation="WRAP"),
        accumulator_type=scores,
        strategy="latency",
        attributes=attributes,
    )
    first = Layer(INPUT, "input", (), (features,), (features,), inputs)
    weights = {f"{TREES}/{name}": array.astype(np.float64) for name, array in built.arrays.items()}
    tool = f"conifer {versions('conifer')['conifer']}"
    return Network((first, trees), (TREES,), "io_parallel", target.name, target.clock_ns, BACKEND, tool, weights)


def ensemble_of(network: Network) -> Ensemble:
    """The quantised ensemble of a network."""
    arrays = {name.partition("/")[2]: array for name, array in network.weights.items()}
    return Ensemble.from_arrays(arrays, str(network.layer(TREES).attributes["convention"]))


def effective(network: Network) -> dict[str, Scalar]:
    """What will be built, flat: part, clock, and the types of inputs, thresholds and scores."""
    trees, inputs = network.layer(TREES), network.layer(INPUT)
    sizes = {f"{name}.{TREES}": int(trees.attributes[name]) for name in ("trees", "depth", "nodes")}
    types: dict[str, Scalar] = {
        f"result_type.{INPUT}": str(inputs.result_type),
        f"weight_type.{TREES}": str(trees.weight_type),
        f"result_type.{TREES}": str(trees.result_type),
    }
    return {"part": network.part, "clock_ns": network.clock_ns, **sizes, **types}


def _write(network: Network, built: Ensemble, project: Path) -> None:
    """Conifer's project for Xilinx HLS, in the layout of hls4ml's projects: drivers and scripts find what they look for."""
    from conifer.model import make_model

    trees = network.layer(TREES)
    inputs, scores = (f"ap_fixed<{t.width},{t.integer}>" for t in (network.layer(INPUT).result_type, trees.result_type))
    options = {
        "Backend": "xilinxhls",
        "ProjectName": PROJECT,
        "OutputDir": str(project),
        "XilinxPart": network.part,
        "ClockPeriod": network.clock_ns,
        "Unroll": True,
        "AcceleratorConfig": None,
        "InputPrecision": inputs,
        "ThresholdPrecision": inputs,
        "WeightPrecision": "ap_ufixed<1,1>",  # 1 where a node looks at a feature: a signed type of one integer bit has no 1
        "ScorePrecision": scores,
    }
    make_model(_told(built, int(trees.attributes["n_in"])), options).write()
    for name in (f"{PROJECT}.json", "build_hls.tcl", "hls_parameters.tcl", "vivado_synth.tcl", "bridge.cpp"):
        (project / name).unlink(missing_ok=True)  # dates, user and paths; scripts of conifer's own
    top = project / "firmware" / f"{PROJECT}.cpp"
    source = top.read_text()
    include = f'#include "{PROJECT}.h"\n'
    if include not in source:
        raise StageFailed("unsupported", f"conifer's {PROJECT}.cpp does not include its header as version 1.11 does.")
    # one file, as the drivers add it; the trees' own functions come before their first use
    top.write_text(source.replace(include, include + '#include "BDT.cpp"\n'))
    (project / "project.tcl").write_text(SETTINGS)
    (project / "firmware" / "weights").mkdir()
    (project / f"{PROJECT}_test.cpp").write_text(_bench())


def _told(built: Ensemble, features: int) -> dict[str, Any]:
    """The ensemble as conifer's dict."""
    n_out = len(built.init)
    rows: list[list[Mapping[str, Any]]] = [[] for _ in range(math.ceil(built.trees / n_out))]
    for tree, (first, last) in enumerate(zip(built.start[:-1], built.start[1:], strict=True)):
        here = slice(int(first), int(last))
        feature = np.where(built.feature[here] < 0, -2, built.feature[here]).tolist()
        rows[tree // n_out].append(
            {
                "feature": feature,
                "threshold": built.threshold[here].tolist(),
                "weight": [[int(column == one) for column in range(features)] for one in feature],
                "value": built.value[here].tolist(),
                "children_left": built.left[here].tolist(),
                "children_right": built.right[here].tolist(),
            }
        )
    return {
        "max_depth": built.depth,
        "n_trees": len(rows),
        "n_classes": 2 if n_out == 1 else n_out,
        "n_features": features,
        "trees": rows,
        "init_predict": built.init.tolist(),
        "norm": 1,
        "library": "dse",
        "splitting_convention": built.convention,
    }


def _bench() -> str:
    """A test bench that reads and writes the files that the bench of hls4ml's projects does."""
    return f"""#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include "firmware/BDT.h"
#include "firmware/parameters.h"

void {PROJECT}(input_arr_t x, score_arr_t score);

int main() {{
#ifdef RTL_SIM
    std::ofstream out("tb_data/rtl_cosim_results.log");
#else
    std::ofstream out("tb_data/csim_results.log");
#endif
    std::ifstream rows("tb_data/tb_input_features.dat");
    std::string line;
    while (std::getline(rows, line)) {{
        std::istringstream fields(line);
        input_arr_t x;
        score_arr_t score;
        for (int i = 0; i < n_features; ++i) {{
            double value = 0;
            fields >> value;
            x[i] = value;
        }}
        {PROJECT}(x, score);
        for (int i = 0; i < BDT::fn_classes(n_classes); ++i)
            out << score[i].to_double() << " ";
        out << std::endl;
    }}
    return 0;
}}
"""
