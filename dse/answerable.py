"""Whether a synthesizer has figures for every design of a space: asked before the first one is trained."""

from __future__ import annotations

from dse.design import Scalar
from dse.errors import UsageError
from dse.space import Space, possible
from dse.synth import Synthesizer
from dse.synth.estimate import Estimate
from dse.synth.open import Adders, Open

#: Strategies that the estimate knows.
ESTIMATED = ("latency", "resource")
#: All that open synthesis builds.
UNROLLED: dict[str, Scalar] = {"reuse_factor": 1, "io_type": "io_parallel"}


def check(synthesizer: Synthesizer, space: Space) -> None:
    """UsageError where some designs would fail after their training, for want of figures."""
    if isinstance(synthesizer, Estimate):
        _check_strategies(space)
    if isinstance(synthesizer, (Adders, Open)):
        _check_unrolled(space)


def _check_strategies(space: Space) -> None:
    lacking = sorted(str(value) for value in space.asked("strategy") if value not in ESTIMATED)
    if lacking:
        raise UsageError(
            f"strategy {', '.join(lacking)}: there is no estimate of what it costs; use {' or '.join(ESTIMATED)}, "
            "or a synthesizer that measures it, such as Vitis()."
        )


def _check_unrolled(space: Space) -> None:
    for name, domain in space.flat.items():
        knob = name.partition(".")[0]
        if knob in UNROLLED and possible(domain) != (UNROLLED[knob],):
            raise UsageError(
                f"{name} must be {UNROLLED[knob]} for every design: open synthesis unrolls the whole network. "
                f"Give the space {knob}={UNROLLED[knob]!r}, or the study another synthesizer, such as Vitis() or Estimate()."
            )
