"""The web server: local, read-only, and deaf to other hosts' pages."""

from __future__ import annotations

import gzip
import ipaddress
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import dash
import flask
import plotly
from dash.exceptions import DependencyException
from plotly.offline import get_plotlyjs
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from dashboards.app import answers, callbacks, downloads, layout
from dashboards.app.desk import Desk, trial_of
from dashboards.app.downloads import Pack
from dse.errors import DseError, StageFailed, UsageError

#: What a page may do. Plotly compiles its WebGL drawing code at run time, hence 'unsafe-eval': it lets code that is allowed
#: to run do more, it lets no other code in. Scripts come from this server or are known by their hash.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
#: The page before its scripts have run. Plotly, by far the largest, is compiled beside the others' work, and needed last.
INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{%title%}</title>{%favicon%}{%css%}
<script async id="plotly" src="@PLOTLY@"></script>
</head>
<body>
{%app_entry%}
{%config%}{%scripts%}{%renderer%}
</body>
</html>
"""
#: Bids the browser compile all of a script off the page's own thread, where it would compile each function at its first call.
COMPILED = b"//# allFunctionsCalledOnLoad\n"
LOCAL = ("127.0.0.1", "localhost", "::1")
#: Bytes of an answer from which on it is compressed.
PACKED = 20_000
#: Ports that are tried where none is asked for.
PORTS = range(8050, 8070)


@dataclass(frozen=True)
class Door:
    """Where the server listens. `port` None: the first free one of PORTS."""

    host: str = "127.0.0.1"
    port: int | None = None

    @property
    def local(self) -> bool:
        """Whether only this machine can come in."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def admits(self, asked: str) -> bool:
        """Whether a request's Host header names this server.

        A page elsewhere whose name is made to point here (DNS rebinding) asks for that name, and is refused. Open to the
        network, a server cannot know its names: then those that are a number or the host that was given are let in, and
        names without a dot.
        """
        name = asked.strip().casefold()
        name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
        if name in LOCAL or name == self.host.casefold():
            return True
        if self.local:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return bool(name) and "." not in name
        return True


class _Lasting(WSGIRequestHandler):
    """One connection for many requests, none of whose answers waits for the one before to be acknowledged."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True


def build(desk: Desk, door: Door, pack: Pack | None = None) -> flask.Flask:
    """The application: Dash's page and callbacks, and the downloads; of packages where there is one who can `pack`."""
    server = flask.Flask("dse")
    assets = str(files("dashboards.app").joinpath("assets"))
    here: Any = server  # Dash's annotation leaves out what its documentation asks for
    page = dash.Dash(
        "dse",
        server=here,
        assets_folder=assets,
        index_string=INDEX.replace("@PLOTLY@", f"/plotly-{plotly.__version__}.js"),
        serve_locally=True,
        suppress_callback_exceptions=True,
        update_title="",
        title="dse",
        compress=False,
        include_pages_meta=False,
        enable_mcp=False,
        add_log_handler=False,
    )
    page.layout = layout.skeleton()
    callbacks.register(page, desk)
    server.before_request(lambda: _refuse_strangers(door))
    server.after_request(_policy(page))
    _library(server)
    _answers(server, desk)
    downloads.register(server, desk, pack)
    _errors(server)
    return server


def _refuse_strangers(door: Door) -> flask.Response | None:
    if not door.admits(flask.request.host):
        return flask.Response(f"{flask.request.host[:80]!r} is not this dashboard's name; give --host to allow it.\n", 403)
    if flask.request.method not in ("GET", "HEAD", "POST") or (flask.request.content_length or 0) > 20_000_000:
        return flask.Response("this page only reads.\n", 405)
    return None


def _policy(page: dash.Dash) -> Callable[[flask.Response], flask.Response]:
    known: list[str] = []

    def guard(response: flask.Response) -> flask.Response:
        if not known:
            known.append(POLICY.format(hashes=" ".join(page.csp_hashes())))
        response.headers["Content-Security-Policy"] = known[0]
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return guard


def _library(server: flask.Flask) -> None:
    """Plotly, which a browser keeps for good: another version has another address."""
    script = COMPILED + get_plotlyjs().encode()

    @server.get(f"/plotly-{plotly.__version__}.js")
    def library() -> flask.Response:
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return flask.Response(script, mimetype="text/javascript", headers=kept)


def _answers(server: flask.Flask, desk: Desk) -> None:
    """What the front's page asks for by itself."""

    @server.post("/answer")
    def answer() -> flask.Response:
        return _packed(answers.answer(desk, answers.Asked.of(flask.request.get_json(silent=True))))

    @server.post("/tip")
    def tip() -> flask.Response:
        given = flask.request.get_json(silent=True)
        asked = answers.Asked.of(given)
        trial = str(given.get("trial", "")) if isinstance(given, dict) else ""
        return _packed(answers.tip(desk, asked.state, trial_of(trial)))


def _packed(content: bytes) -> flask.Response:
    """JSON, compressed where that pays: the page may be looked at through a tunnel."""
    response = flask.Response(content, mimetype="application/json", headers={"Cache-Control": "no-store"})
    if len(content) > PACKED and flask.request.accept_encodings["gzip"]:
        response.set_data(gzip.compress(content, 1))
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
    return response


def _errors(server: flask.Flask) -> None:
    @server.errorhandler(DependencyException)
    def outside(_: DependencyException) -> flask.Response:
        return flask.Response("the page has no such file.\n", 404, mimetype="text/plain")

    @server.errorhandler(DseError)
    def wrong(error: DseError) -> flask.Response:
        # what cannot be made of this design is no fault of the server
        told = ((UsageError, 404), (StageFailed, 422))
        status = next((status for kind, status in told if isinstance(error, kind)), 500)
        return flask.Response(f"{error}\n", status, mimetype="text/plain")


def listen(server: flask.Flask, door: Door) -> tuple[BaseWSGIServer, str]:
    """A server that is bound and its address; `serve_forever` starts it. DseError where the port or host cannot be had."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
    reason: Exception = OSError("no port is free")
    for wanted in PORTS if door.port is None else [door.port]:
        try:
            bound = socket.create_server((door.host, wanted), family=family)
        except (OSError, OverflowError, UnicodeError) as error:
            reason = error
            continue
        port = bound.getsockname()[1]
        host = f"[{door.host}]" if ":" in door.host else door.host
        listening = make_server(door.host, port, server, threaded=True, fd=bound.detach(), request_handler=_Lasting)
        return listening, f"http://{host}:{port}/"
    tried = f"ports {PORTS.start} to {PORTS.stop - 1}" if door.port is None else f"port {door.port}"
    raise DseError(f"{door.host}, {tried}: cannot listen there ({reason}). Choose another with --port or --host.")
