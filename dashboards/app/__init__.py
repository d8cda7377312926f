"""The dashboard: a local web page on runs, finished or going on. It reads; it never writes, locks or runs anything."""

from __future__ import annotations

from dashboards.app.desk import Desk
from dashboards.app.server import Door, build, listen

__all__ = ["Desk", "Door", "build", "listen"]
