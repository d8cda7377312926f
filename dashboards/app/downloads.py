"""What can be taken away: records, tables, reports, stages' files, packages.

Nothing of a request is ever part of a path: it chooses from what a record names.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import flask
from dash import html

from dashboards.app.desk import Desk, Seen, trial_of
from dashboards.state import State
from dse.errors import UsageError
from dse.evidence import files_of
from dse.export import as_csv, describe
from dse.record import Record
from dse.run import Run
from dse.view import View, stand

#: Writes the package of a run's trial, of this kind, to a folder: `dse.package.package`.
Pack = Callable[[Run, int, str, Path], Path]
#: Bytes that a download has at most, before they are packed.
LARGEST = 500_000_000
#: What people and scripts read of a stage's files.
REPORTS = (".rpt", ".rep", ".xml", ".log", ".txt", ".json", ".csv", ".sh", ".tcl", ".md")


def register(server: flask.Flask, desk: Desk, pack: Pack | None) -> None:
    """Let `server` hand them out."""

    @server.get("/get/record")
    def record() -> flask.Response:
        seen, found = _asked(desk)
        return _file(_told(seen, found), f"{_named(seen, found)}.json", "application/json")

    @server.get("/get/table")
    def table() -> flask.Response:
        seen = desk.see(_state())
        records = [seen.record(int(trial)) for trial in seen.sight.columns.trials]
        goals = seen.sight.goals
        standings = tuple(stand(one, goals) for one in records if one is not None)
        front = {int(trial) for trial in seen.sight.columns.trials[seen.sight.front]}
        marked = tuple(replace(one, on_front=one.record.trial in front) for one in standings)
        return _file(as_csv(View(seen.sight.name, goals, marked)), f"{_safe(seen.sight.name)}.csv", "text/csv")

    @server.get("/get/files")
    def stage() -> flask.Response:
        seen, found = _asked(desk)
        name = flask.request.args.get("stage", "")
        folder = files_of(seen.feed.shown(), found).get(name)
        if folder is None:
            return flask.Response("these files are not in the store.\n", 404)
        return _zip(packed(inside(folder)), f"{_named(seen, found)}-{_safe(name)}")

    @server.get("/get/reports")
    def reports() -> flask.Response:
        seen, found = _asked(desk)
        folders = {_safe(name): folder for name, folder in files_of(seen.feed.shown(), found).items() if folder is not None}
        members = [
            (f"{name}/{place}", path)
            for name, folder in folders.items()
            for place, path in inside(folder)
            if path.suffix.lower() in REPORTS
        ]
        return _zip(packed(members, {"record.json": _told(seen, found)}), f"{_named(seen, found)}-reports")

    if pack is not None:
        server.add_url_rule("/get/package", "package", lambda: _package(desk, pack))


def links(seen: Seen, record: Record) -> list[Any]:
    """Buttons for what can be taken away of a design."""
    run, trial = State(run=seen.sight.name).query, record.trial
    stored = {stage: folder for stage, folder in files_of(seen.feed.shown(), record).items() if folder is not None}

    def link(text: str, what: str, told: str, query: str = run, more: str = "") -> Any:
        # in a tab of its own: where there is nothing to be had, the words that say why do not take this page's place
        href = f"/get/{what}{query}&trial={trial}{more}"
        return html.A(text, href=href, className="button", target="_blank", title=told)

    found = [link("record", "record", "all that is known, as JSON", State(run=seen.sight.name, judge=seen.judge.name).query)]
    if stored:
        found.append(link("reports", "reports", "the record, and the reports and logs of all stages, as a ZIP archive"))
    if "emulate" in stored and "convert" in stored:
        made = "made now, as `dse package` makes it; that may take a minute"
        found.append(link("package: HLS project", "package", f"to be built, simulated and verified by itself; {made}"))
        knobs = record.design.knobs
        unrolled = all(value == 1 for name, value in knobs.items() if name.partition(".")[0] == "reuse_factor")
        if unrolled and knobs.get("io_type", "io_parallel") == "io_parallel":
            found.append(link("package: Verilog", "package", f"unrolled, with a test bench; {made}", more="&as=verilog"))
    for stage, folder in stored.items():
        found.append(link(f"{stage} files", "files", str(folder), more=f"&stage={quote(stage, safe='')}"))
    return found


def _package(desk: Desk, pack: Pack) -> flask.Response:
    """A package is made when it is asked for, in a folder of its own that is gone afterwards."""
    seen, found = _asked(desk)
    run = replace(seen.feed.shown(), records=(found,))
    kind = "verilog" if flask.request.args.get("as") == "verilog" else "hls"
    name = f"{_named(seen, found)}-{kind}"
    with tempfile.TemporaryDirectory(prefix="dse-package-") as scratch:
        made = pack(run, found.trial, kind, Path(scratch) / name)
        return _zip(packed((f"{name}/{place}", path) for place, path in inside(made)), name)


def _state() -> State:
    return State.read(flask.request.query_string.decode("ascii", "replace"))


def _asked(desk: Desk) -> tuple[Seen, Record]:
    """The run and the record that a request chooses; UsageError where there is none."""
    seen = desk.see(_state())
    found = seen.record(trial_of(flask.request.args.get("trial", "")))
    if found is None:
        raise UsageError("there is no record of this trial.")
    return seen, found


def _told(seen: Seen, found: Record) -> bytes:
    told = describe(seen.standing(found), seen.judge)
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False).encode()


def inside(folder: Path) -> list[tuple[str, Path]]:
    """The files in a folder and their places in it; links, which may lead out of it, are left out."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [(str(path.relative_to(folder)), path) for path in paths]


def packed(members: Iterable[tuple[str, Path]], texts: dict[str, bytes] | None = None) -> bytes:
    """Files by their places, and texts, as a ZIP archive. UsageError where they are too large."""
    members = list(members)
    if sum(path.stat().st_size for _, path in members) > LARGEST:
        raise UsageError(f"these files are larger than {LARGEST / 1e6:.0f} MB; the first of them is {members[0][1]}.")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (texts or {}).items():
            archive.writestr(name, text)
        for place, path in members:
            archive.write(path, place)
    return content.getvalue()


def _named(seen: Seen, found: Record) -> str:
    return f"{_safe(seen.sight.name)}-trial-{found.trial}"


def _safe(name: str) -> str:
    """A name for a file: letters, digits, dots, dashes."""
    return "".join(c if c.isascii() and (c.isalnum() or c in ".-_") else "-" for c in name).strip(".-")[:80] or "run"


def _zip(content: bytes, name: str) -> flask.Response:
    return _file(content, f"{name}.zip", "application/zip")


def _file(content: bytes, name: str, kind: str) -> flask.Response:
    head = {"Content-Disposition": f'attachment; filename="{name}"'}
    return flask.Response(content, headers=head, mimetype=kind)
