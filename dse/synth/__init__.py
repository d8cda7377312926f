"""The seam behind which every source of hardware figures stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from dse.metrics import Judge, Measurement
from dse.network import Network


@runtime_checkable
class Synthesizer(Protocol):
    """Turns a converted network into hardware figures.

    A synthesizer is a small frozen value: it can be pickled, compared and written into a study.
    """

    def judge(self, part: str, clock_ns: float | None) -> Judge:
        """Who will have said the figures; runs no tool but may ask one for its version (ToolNotFound)."""
        ...

    def causes(self, network: Network) -> dict[str, Any]:
        """All that the figures depend on besides this project's stage version, as JSON values: the store's key."""
        ...

    def synthesize(self, network: Network, project: Path, folder: Path) -> Measurement:
        """Figures of `network`; `project` is the generated project (read only), `folder` keeps reports and logs.

        Raises StageFailed with a typed kind; never returns a figure that it does not have.
        """
        ...


@runtime_checkable
class Refinement(Synthesizer, Protocol):
    """A synthesizer that stands on the rung below it and reads what that one has left."""

    @property
    def hls(self) -> Synthesizer:
        """The rung below."""
        ...

    def refine(self, network: Network, below: Path, folder: Path) -> Measurement:
        """Figures of `network` from the folder that the rung below has filled (read only); `folder` keeps reports and logs."""
        ...
