"""Who tells whom: the page's controls make a state in the browser, the state makes everything that is shown.

What only moves things about in the browser is in assets/app.js.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash
from dash import ALL, MATCH, ClientsideFunction, Input, Output, no_update
from dash import State as Given

from dashboards.app import cards, detail, grid, layout, plot, trail
from dashboards.app.desk import Desk
from dashboards.app.pieces import painted
from dashboards.state import State

#: Controls by the name that they have in the state.
CONTROLS = ("judge", "part", "tab", "x", "y", "z", "xscale", "yscale", "color", "symbol", "others", "best", "trial", "other")


def register(page: dash.Dash, desk: Desk) -> None:
    """Connect the page to what is on the desk."""
    _in_the_browser(page)
    _furnishing(page, desk)
    _answers(page, desk)
    _sliders(page, desk)
    _panels(page, desk)


def _in_the_browser(page: dash.Dash) -> None:
    client: Any = page.clientside_callback

    def here(name: str, *wires: Any, **more: Any) -> None:
        client(ClientsideFunction("dse", name), *wires, **more)

    values = [Input(name, "value") for name in CONTROLS]
    fields = [Input({"type": "field", "metric": ALL}, "value"), Given({"type": "field", "metric": ALL}, "id")]
    here("look", Output("look", "data"), Input("theme", "n_clicks"))
    here(
        "collect",
        Output("state", "data"),
        *values,
        Input("run", "value"),
        Input("filter", "value"),
        Input("sort", "data"),
        *fields,
        Given("study", "data"),
    )
    budget = {"metric": MATCH}
    here(
        "slide",
        Output({"type": "field", **budget}, "value"),
        Output({"type": "slide", **budget}, "value"),
        Input({"type": "field", **budget}, "value"),
        Input({"type": "slide", **budget}, "value"),
        Input("scales", "data"),
        Given({"type": "field", **budget}, "id"),
    )
    clicks = [Input({"type": kind, "where": ALL, "trial": ALL}, "n_clicks") for kind in ("pick", "open", "compare")]
    chosen = [Output("trial", "value"), Output("other", "value"), Output("tab", "value")]
    rows = Input({"type": "row", "trial": ALL}, "n_clicks")
    more = [Input("swap", "n_clicks"), Input("single", "n_clicks"), Given("trial", "value"), Given("other", "value")]
    here("choose", *chosen, Input("front", "clickData"), rows, *clicks, *more, prevent_initial_call=True)
    here("lasso", Output("lasso", "data"), Input("front", "selectedData"), Input({"type": "free", "what": ALL}, "n_clicks"))
    here("sort", Output("sort", "data"), Input({"type": "sort", "name": ALL}, "n_clicks"), Given("sort", "data"))
    leaves = Input({"type": "leaf", "to": ALL}, "n_clicks")
    here("leaf", Output("page", "data"), leaves, Input("filter", "value"), Input("sort", "data"), Input("lasso", "data"))
    here("reset", Output({"type": "field", "metric": ALL}, "value", allow_duplicate=True), Output("part", "value"),
         Input("reset", "n_clicks"), Given({"type": "field", "metric": ALL}, "id"), Given("study", "data"),
         prevent_initial_call=True)  # fmt: skip
    here("address", Output("csv", "href"), Input("query", "data"))
    here("share", Output("share", "children"), Input("share", "n_clicks"), prevent_initial_call=True)
    here("tabs", Output("sink", "children"), Input("tab", "value"))


def _furnishing(page: dash.Dash, desk: Desk) -> None:
    @page.callback(Output("desk", "children"), Input("place", "pathname"), Given("place", "search"))
    def furnish(_: str, search: str | None) -> Any:
        return layout.furnish(desk, State.read(search or ""))

    @page.callback(
        Output("pulse", "children"),
        Output("alerts", "children"),
        Output("beat", "disabled"),
        Input("beat", "n_intervals"),
        Given("state", "data"),
        Given("version", "data"),
        prevent_initial_call=True,
    )
    def beat(_: int, controls: dict[str, Any] | None, version: int) -> tuple[Any, Any, bool]:
        """Look whether there is anything new; a run that does not go on is not looked at again."""
        if controls is None:
            return no_update, no_update, False
        seen = desk.see(State.of(controls))
        if seen.snapshot.version != version:
            # not an output: whatever hangs on the version would wait for this callback at the beginning
            dash.set_props("version", {"data": seen.snapshot.version})
        return trail.pulse(seen), trail.alerts(seen), not seen.snapshot.going_on


def _answers(page: dash.Dash, desk: Desk) -> None:
    fields = {"type": "field", "metric": ALL}

    @page.callback(
        Output("headline", "children"),
        Output("picks", "children"),
        Output({"type": "hint", "metric": ALL}, "children"),
        Output("part-note", "children"),
        Output("query", "data"),
        Output("front", "figure"),
        Input("state", "data"),
        Input("version", "data"),
        Input("look", "data"),
        Given(fields, "id"),
    )
    def answer(controls: dict[str, Any] | None, _: int, look: dict[str, Any] | None, ids: list[dict[str, str]]) -> Any:
        """All that budgets, part and judge decide, in one step."""
        if controls is None or look is None:
            return no_update, no_update, [no_update] * len(ids), no_update, no_update, no_update
        state = State.of(controls)
        seen = desk.see(state)
        hints = [cards.hint(seen, state, name["metric"]) for name in ids]
        figure = painted(plot.front(desk, seen, state), look) if state.tab == "front" else no_update
        return (
            cards.headline(seen, state),
            cards.picks(seen, state),
            hints,
            plot.part_note(seen, state),
            plot.query(desk, state),
            figure,
        )


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
    @page.callback(
        Output("table", "children"),
        Output("chips", "children"),
        Input("state", "data"),
        Input("version", "data"),
        Input("lasso", "data"),
        Input("page", "data"),
    )
    def table(controls: dict[str, Any] | None, _: int, lasso: list[int] | None, number: int | None) -> Any:
        if controls is None or controls.get("tab") != "front":
            return no_update, no_update
        state = State.of(controls)
        return grid.grid(desk.see(state), state, lasso, number or 0)

    @page.callback(Output("design", "children"), Input("state", "data"), Input("look", "data"))
    def design(controls: dict[str, Any] | None, look: dict[str, Any] | None) -> Any:
        if controls is None or look is None or controls.get("tab") != "design":
            return no_update
        state = State.of(controls)
        return detail.detail(desk.see(state), state, look)

    @page.callback(Output("search", "children"), Input("state", "data"), Input("version", "data"), Input("look", "data"))
    def search(controls: dict[str, Any] | None, _: int, look: dict[str, Any] | None) -> Any:
        if controls is None or look is None or controls.get("tab") != "search":
            return no_update
        state = State.of(controls)
        return trail.trail(desk, desk.see(state), state, look)

    @page.callback(
        Output("tip", "show"),
        Output("tip", "bbox"),
        Output("tip", "children"),
        Input("front", "hoverData"),
        Given("state", "data"),
        prevent_initial_call=True,
    )
    def tip(hovered: dict[str, Any] | None, controls: dict[str, Any] | None) -> Any:
        """What hovering over a point says; asked for one point at a time, however many there are."""
        point = (hovered or {}).get("points", [{}])[0]
        if controls is None or "bbox" not in point or not isinstance(point.get("customdata"), int):
            return False, no_update, no_update
        told = plot.told(desk.see(State.of(controls)), point["customdata"])
        return (told is not None), point["bbox"], told
