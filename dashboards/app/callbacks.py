"""Who tells whom: the page's controls make a state in the browser, the state makes everything that is shown.

What only moves things about in the browser is in assets/app.js; the front's page, which must be quick, asks for itself
(assets/front.js, `answers`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash
from dash import ALL, ClientsideFunction, Input, Output, no_update
from dash import State as Given

from dashboards.app import cards, detail, layout, trail
from dashboards.app.desk import Desk
from dashboards.app.pieces import GRAPH
from dashboards.feed import Snapshot
from dashboards.state import State

#: Controls by the name that they have in the state.
CONTROLS = ("judge", "part", "tab", "x", "y", "z", "xscale", "yscale", "color", "symbol", "others", "best", "trial", "other")


def register(page: dash.Dash, desk: Desk) -> None:
    """Connect the page to what is on the desk."""
    _in_the_browser(page)
    _furnishing(page, desk)
    _sliders(page, desk)
    _panels(page, desk)


def _in_the_browser(page: dash.Dash) -> None:
    client: Any = page.clientside_callback

    def here(name: str, *wires: Any, **more: Any) -> None:
        client(ClientsideFunction("dse", name), *wires, **more)

    values = [Input(name, "value") for name in CONTROLS]
    fields = [Input({"type": "field", "metric": ALL}, "value"), Input("theme", "n_clicks")]
    here(
        "collect",
        Output("state", "data"),
        *values,
        Input("run", "value"),
        Input("filter", "value"),
        Input("sort", "data"),
        *fields,
        Given({"type": "field", "metric": ALL}, "id"),
    )
    here("reset", Output({"type": "field", "metric": ALL}, "value", allow_duplicate=True), Output("part", "value"),
         Input("reset", "n_clicks"), Given({"type": "field", "metric": ALL}, "id"), Given("study", "data"),
         prevent_initial_call=True)  # fmt: skip
    here("share", Output("share", "children"), Input("share", "n_clicks"), prevent_initial_call=True)
    client(
        ClientsideFunction("front", "follow"),
        Output("sink", "title"),
        Input("state", "data"),
        Input("version", "data"),
        Input("scales", "data"),
    )
    client(
        ClientsideFunction("graphs", "draw"),
        Output("sink", "className"),
        Input("search-figures", "data"),
        prevent_initial_call=True,
    )


def _furnishing(page: dash.Dash, desk: Desk) -> None:
    @page.callback(Output("desk", "children"), Input("place", "pathname"), Input("back", "data"), Given("place", "search"))
    def furnish(_: str, back: str | None, search: str | None) -> Any:
        """The page of its address: the one it was opened with, or the one that the back button leads to."""
        return layout.furnish(desk, State.read((search if back is None else back) or ""))

    @page.callback(
        Output("pulse", "children"),
        Output("alerts", "children"),
        Output("beat", "interval"),
        Input("beat", "n_intervals"),
        Given("state", "data"),
        Given("version", "data"),
        Given("judge", "options"),
        prevent_initial_call=True,
    )
    def beat(_: int, controls: dict[str, Any] | None, version: int, options: list[Any]) -> tuple[Any, Any, Any]:
        """Look whether there is anything new; less often where the run does not go on."""
        if controls is None:
            return no_update, no_update, no_update
        seen = desk.see(State.of(controls))
        if seen.snapshot.version != version:
            _judges([option["value"] for option in options], seen.snapshot, controls["judge"])
            # not an output: whatever hangs on the version would wait for this callback at the beginning
            dash.set_props("version", {"data": seen.snapshot.version})
        return trail.pulse(seen), trail.alerts(seen), layout.beat(seen.snapshot)


def _judges(known: list[str], snapshot: Snapshot, chosen: str) -> None:
    """Offer the judges that are new; whoever looked at the study's own goes on with the study's own."""
    names = [judge.name for judge in snapshot.judges]
    if names == known:
        return
    kept = chosen if chosen in names and chosen != known[0] else names[0]
    dash.set_props("judges-box", {"children": layout.judges(snapshot, kept)})
    dash.set_props("others-box", {"hidden": len(names) == 1})
    if kept != chosen:
        dash.set_props("judge", {"value": kept})


def _sliders(page: dash.Dash, desk: Desk) -> None:
    @page.callback(
        Output("scales", "data"),
        Input("version", "data"),
        Input("judge", "value"),
        Input("part", "value"),
        Given("state", "data"),
        Given({"type": "field", "metric": ALL}, "id"),
        prevent_initial_call=True,
    )
    def scales(_: int, judge: str, part: str, controls: dict[str, Any] | None, ids: list[dict[str, str]]) -> Any:
        if controls is None:
            return no_update
        state = replace(State.of(controls), judge=judge or "", part=part or "")
        return cards.scales(desk.see(state), [name["metric"] for name in ids])


def _panels(page: dash.Dash, desk: Desk) -> None:
    @page.callback(Output("design", "children"), Input("state-design", "data"), prevent_initial_call=True)
    def design(controls: dict[str, Any] | None) -> Any:
        if controls is None:
            return no_update
        state = State.of(controls)
        return detail.detail(desk.see(state), state, controls["look"])

    @page.callback(Output("search", "children"), Input("state-search", "data"), prevent_initial_call=True)
    def search(controls: dict[str, Any] | None) -> Any:
        if controls is None:
            return no_update
        state = State.of(controls)
        texts, drawn = trail.trail(desk, desk.see(state), state, controls["look"])
        dash.set_props("search-figures", {"data": {"figures": drawn, "config": GRAPH}})
        if not controls.get("there"):
            return trail.laid_out(texts, drawn)
        for name, text in texts.items():
            dash.set_props(f"search-{name}", {"children": text})
        return no_update
