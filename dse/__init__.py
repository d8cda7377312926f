"""Design-space exploration for neural networks on FPGAs.

    from dse import Study, Space, Integers, explore

The names below are the public ones. They are looked up when they are used, so that `import dse` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dse import datasets
    from dse.domains import Choice, EachLayer, Integers, Profiled, ReuseFactors, Steps
    from dse.errors import DseError, StageFailed, UsageError
    from dse.goals import Limit, Objective
    from dse.metrics import Score
    from dse.network import FixedType, Layer, Network
    from dse.parts import Part
    from dse.record import Failure, Record
    from dse.run import Run, open_run
    from dse.space import Space
    from dse.study import Study, Target
    from dse.studyfile import load
    from dse.sweep import Options, Swept, explore
    from dse.synth.estimate import Estimate
    from dse.synth.open import Adders, Open
    from dse.synth.vitis import Vitis
    from dse.synth.vivado import Vivado
    from dse.workload import Data, Pretrained, Training, Trees, Workload

__version__ = "0.1.0"

_HOMES = {
    "dse.domains": ("Choice", "EachLayer", "Integers", "Profiled", "ReuseFactors", "Steps"),
    "dse.errors": ("DseError", "StageFailed", "UsageError"),
    "dse.goals": ("Limit", "Objective"),
    "dse.metrics": ("Score",),
    "dse.network": ("FixedType", "Layer", "Network"),
    "dse.parts": ("Part",),
    "dse.record": ("Failure", "Record"),
    "dse.run": ("Run", "open_run"),
    "dse.space": ("Space",),
    "dse.study": ("Study", "Target"),
    "dse.studyfile": ("load",),
    "dse.sweep": ("Options", "Swept", "explore"),
    "dse.synth.estimate": ("Estimate",),
    "dse.synth.open": ("Adders", "Open"),
    "dse.synth.vitis": ("Vitis",),
    "dse.synth.vivado": ("Vivado",),
    "dse.workload": ("Data", "Pretrained", "Training", "Trees", "Workload"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Adders",
    "Choice",
    "Data",
    "DseError",
    "EachLayer",
    "Estimate",
    "Failure",
    "FixedType",
    "Integers",
    "Layer",
    "Limit",
    "Network",
    "Objective",
    "Open",
    "Options",
    "Part",
    "Pretrained",
    "Profiled",
    "Record",
    "ReuseFactors",
    "Run",
    "Score",
    "Space",
    "StageFailed",
    "Steps",
    "Study",
    "Swept",
    "Target",
    "Training",
    "Trees",
    "UsageError",
    "Vitis",
    "Vivado",
    "Workload",
    "datasets",
    "explore",
    "load",
    "open_run",
]


def __getattr__(name: str) -> Any:
    """Find a public name in its module (PEP 562)."""
    if name == "datasets":
        return import_module("dse.datasets")
    if name not in _HOME:
        raise AttributeError(f"module 'dse' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted([*globals(), *__all__])
