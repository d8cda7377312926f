"""`dse dashboard`: a local page on one or several runs, finished or going on."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dse.errors import DseError, UsageError

if TYPE_CHECKING:
    from dse.run import Run


def dashboard(
    folders: Annotated[list[Path], typer.Argument(help="Folders of sweeps, such as runs/digits.", metavar="DIR...")],
    port: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=65535, help="Default: the first free one from 8050; 0: any.")
    ] = None,
    host: Annotated[str, typer.Option(metavar="H", help="Where to listen. Anything but this machine opens it to others.")] = (
        "127.0.0.1"
    ),
) -> None:
    """Choose a design on a web page: the front, budgets to try out, every design in detail, the search as it goes on.

    The page reads the records and nothing else, also while the sweep runs; several folders are compared. What is shown is in
    the page's address, to be kept or sent. It needs no network. `pip install "dse[dashboard]"` brings what it needs.

    \b
    Examples:
      dse dashboard runs/digits
      dse dashboard runs/digits runs/digits-wide --port 8123
      ssh -L 8050:127.0.0.1:8050 cluster dse dashboard runs/digits --port 8050
    """
    if importlib.util.find_spec("dash") is None:
        raise DseError('The dashboard needs dash, which is not installed: pip install "dse[dashboard]".')
    if host.startswith("unix:"):
        raise UsageError(f"--host must be a name or an address, got {host!r}.")
    from dashboards.app import Desk, Door, build, listen

    desk = Desk(folders)
    for name, feed in desk.feeds.items():
        snapshot = feed.refresh()
        state = "going on" if snapshot.going_on else "not running"
        typer.echo(f"{name}: {snapshot.finished:,} trials, {state}")
        for trouble in snapshot.trouble:
            typer.echo(f"  {feed.path}: {trouble}", err=True)
    door = Door(host, port)
    server, address = listen(build(desk, door, _pack), door)
    if not door.local:
        typer.echo(f"Others on the network can read these runs: {host} is not this machine alone.", err=True)
    typer.echo(f"Dashboard: {address}   (Ctrl-C ends it)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        typer.echo("")
    finally:
        server.server_close()


def _pack(run: Run, trial: int, kind: str, out: Path) -> Path:
    """A package, by what only packages need."""
    from dse.package import package

    return package(run, trial, kind, out)
