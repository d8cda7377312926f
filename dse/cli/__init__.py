"""The command line: verbs, errors and exit codes.

0 the target is reached or the space exhausted, 1 stopped by an error or every trial failed, 2 wrong usage, 130 Ctrl-C.
"""

from __future__ import annotations

import signal
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, TyperException

import dse
from dse.cli.calibrate import calibrate
from dse.cli.dashboard import dashboard
from dse.cli.estimate import estimate
from dse.cli.export import export
from dse.cli.manage import clean, doctor
from dse.cli.new import new
from dse.cli.package import package, verify
from dse.cli.ranges import profile, trace
from dse.cli.report import report
from dse.cli.results import front, status
from dse.cli.run import run
from dse.cli.show import show
from dse.cli.synth import synth
from dse.errors import DseError, UsageError

INTERRUPTED = 130

app = typer.Typer(
    name="dse",
    help="Explore designs of neural networks on FPGAs with hls4ml: sweep, score, compare, deploy.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dse {dse.__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")] = False,
    _debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; works with every verb.")] = False,
) -> None:
    """Explore designs of neural networks on FPGAs with hls4ml: sweep, score, compare, deploy."""


for verb in (
    new, run, status, front, show, dashboard, export, synth, package, verify, report, estimate, calibrate, profile, trace,
    clean, doctor,
):  # fmt: skip
    app.command()(verb)


def main(arguments: list[str] | None = None) -> None:
    """Run one verb and exit with its code; errors are one message on standard error unless --debug is given."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = _call([word for word in given if word != "--debug"])
    except UsageError as error:
        code = _say(error, 2, debug=debug)
    except DseError as error:
        code = _say(error, 1, debug=debug)
    except TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f"\nSee `{context.command_path} --help`." if context is not None else ""
        typer.echo(f"dse: {error.format_message()}{hint}", err=True)
        code = 2
    except (KeyboardInterrupt, Abort):
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: one message, and how to see more
        code = _say(error, 1, debug=debug)
    if code == INTERRUPTED:  # typer turns Ctrl-C into this code itself
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all that is left ends by itself, and a second one says nothing new
        typer.echo("\nstopped; nothing is lost: the same command goes on from here.", err=True)
    sys.exit(code)


def _call(words: list[str]) -> int:
    found: Any = app(words, standalone_mode=False)
    return found if isinstance(found, int) else 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _say(error: Exception, code: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    if isinstance(error, DseError):
        typer.echo(f"dse: {error}", err=True)
    else:
        typer.echo(f"dse: {type(error).__name__}: {error} (add --debug for the traceback)", err=True)
    return code
