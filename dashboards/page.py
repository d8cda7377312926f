"""A run as one HTML file that needs nothing else: no network, no server, no fonts. It can be mailed and opened in ten years."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from dashboards import figures, sections
from dashboards.palette import DARKENED
from dashboards.sight import look
from dse import __version__
from dse.listing import footnotes, headline
from dse.run import Run
from dse.view import View, view

#: Scripts run only by their hash and nothing may be fetched, whatever a record contains. Plotly's WebGL figures compile
#: their drawing code at run time, hence 'unsafe-eval': it lets code that is allowed to run do more, it lets no other code in.
POLICY = (
    "default-src 'none'; script-src 'unsafe-eval' {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def render(run: Run, judge: str = "") -> str:
    """The page as text, for UTF-8; `judge` as in `dse.view.view`, whose UsageError it may raise."""
    seen = view(run, judge)
    drawn = _figures(seen)
    scripts = [get_plotlyjs(), _asset("page.js")]
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts)
    data = _embedded({name: json.loads(figure.to_json(engine="json")) for name, figure in drawn.items()})
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY.format(hashes=hashes)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f'<link rel="icon" href="data:,"><title>{escape(run.name)} - design-space exploration</title>'
        f"<style>{_asset('page.css')}</style>"
    )
    code = "".join(f"<script>{text}</script>" for text in scripts)
    body = f"{_body(run, seen, drawn)}<script type='application/json' id='figures'>{data}</script>{code}"
    return f"<!doctype html>\n<html lang='en'><head>{head}</head><body>{body}</body></html>\n"


def _asset(name: str) -> str:
    return files("dashboards").joinpath("static", name).read_text(encoding="utf-8")


def _embedded(found: dict[str, Any]) -> str:
    """JSON that cannot end its script element: every character that means something to HTML is escaped.

    What hovering over a trial says is the same in all figures and kept once.
    """
    hovers: dict[int, str] = {}
    for figure in found.values():
        for trace in figure["data"]:
            if "customdata" in trace:
                hovers |= dict(zip(trace["customdata"], trace.pop("hovertext"), strict=True))
    content = {"figures": found, "hovers": hovers, "dark": DARKENED}
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _figures(seen: View) -> dict[str, go.Figure]:
    """The page's figures by the name of their place."""
    names = [objective.metric for objective in seen.goals.objectives]
    found = {}
    sight = look(seen)
    if len(names) > 2:
        found["matrix"] = figures.scatter_matrix(sight)
    for n, name in enumerate(names[1:]):
        found[f"front-{n}"] = figures.front_scatter(sight, name, names[0])
        if "matrix" in found and found["matrix"].data:  # side by side, the bar above this one included
            found[f"front-{n}"].update_layout(height=found["matrix"].layout.height - 42)
    if len(names) == 1:
        found["progress"] = figures.progress(sight)
    found["parallel"] = figures.parallel_coordinates(sight)
    found["parallel-plain"] = figures.parallel_lines(sight)
    found["hypervolume"] = figures.hypervolume_curves([sight])
    found["failures"] = figures.failure_bars(sight)
    found["stages"] = figures.stage_bars(sight)
    if seen.knee is not None and any(m.layers for m in seen.knee.record.measurements if m.judge == seen.judge):
        found["layers"] = figures.layer_bars(seen, [seen.knee])
    return found


def _body(run: Run, seen: View, drawn: dict[str, go.Figure]) -> str:
    names = [objective.metric for objective in seen.goals.objectives]
    tabs = "".join(
        f"<button type='button' role='tab' aria-selected='{'true' if n == 0 else 'false'}' data-figure='front-{n}'>"
        f"{escape(name)}</button>"
        for n, name in enumerate(names[1:])
    )
    bar = f"<div class='tabs' role='tablist'><span>{escape(names[0])} against</span>{tabs}</div>" if len(names) > 2 else ""
    front = f"{bar}{_place('front-0' if len(names) > 1 else 'progress', drawn)}"
    pair = [_card(_place("matrix", drawn)), _card(front)] if "matrix" in drawn else [_card(front, wide=True)]
    table, failures = sections.front_table(seen), sections.failure_table(seen)
    cards = [
        *pair,
        _card(_place("parallel", drawn), wide=True),
        _card(table, wide=True) if table else "",
        _card(_place("layers", drawn), wide=True) if "layers" in drawn else "",
        _card(_place("hypervolume", drawn)),
        _card(_place("stages", drawn)),
        _card(f"{_place('failures', drawn)}{failures}", wide=True),
    ]
    empty = "" if seen.front else " empty"
    said = escape(f"{' '.join(footnotes(run.records))} Made by dse {__version__} from the records of {run.folder.name}.")
    return (
        "<header><div class='top'><p class='kind'>design-space exploration</p>"
        "<button type='button' id='theme' aria-label='light or dark'>light / dark</button></div>"
        f"{sections.heading(run, seen)}</header><main>"
        f"<p class='headline{empty}'>{escape(headline(seen))}</p>{sections.tiles(run, seen)}"
        "<noscript><p class='headline empty'>The pictures need JavaScript; the tables do not.</p></noscript>"
        f"<div class='cards'>{''.join(cards)}</div></main>"
        f"<footer>{said}</footer>"
    )


def _card(content: str, *, wide: bool = False) -> str:
    return f"<section class='card{' wide' if wide else ''}'>{content}</section>"


def _place(name: str, drawn: dict[str, go.Figure]) -> str:
    label = escape(drawn[name].layout.title.text, quote=True)
    height = drawn[name].layout.height
    return f"<div class='figure' data-figure='{name}' role='img' aria-label=\"{label}\" style='min-height:{height}px'></div>"
