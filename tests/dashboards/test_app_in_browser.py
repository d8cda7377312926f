"""The dashboard in a real browser, as a person uses it: axes, budgets, points, table, two designs, a sweep that goes on."""

from __future__ import annotations

import json
import random
import re
import threading
from contextlib import contextmanager

import pytest
from browser import Watched, browser
from build_run import (
    JUDGE,
    LIMITS,
    RESOURCES,
    VITIS,
    build_run,
    goals,
    own_run,
    parameters_of,
    plain_record,
    record_of,
    synthesized,
    write_run,
)

from dse import journal
from dse.design import build as design_of
from dse.metrics import Judge, Source
from dse.record import Failure
from dse.run import RECORDS_FILE, STUDY_FILE, Asked, added_row, open_run
from dse.view import view

pytestmark = pytest.mark.slow
pytest.importorskip("dash", reason='the dashboard needs dash: pip install "dse[dashboard]"')

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
#: Milliseconds that a page may take on a machine that others use too.
PATIENCE = 180_000


@pytest.fixture(scope="module")
def chrome():
    with browser() as running:
        yield running


@contextmanager
def serving(*folders):
    """The address of a dashboard on these folders."""
    from dashboards.app import Desk, Door, build, listen

    door = Door(port=0)
    server, address = listen(build(Desk(folders), door), door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield address
    server.shutdown()
    server.server_close()
    thread.join(10)


@contextmanager
def visiting(chrome, address, *, width=1280, scheme="light", ready=".pick h3"):
    """A watched page that has drawn its first picture."""
    page = chrome.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(PATIENCE)
    watched = Watched(page)
    page.goto(address)
    page.wait_for_selector(ready)
    if ready == ".pick h3":
        page.wait_for_selector("#front[data-drawn='all'] .main-svg")
    yield watched
    page.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture(scope="module")
def address(run):
    with serving(run.folder) as found:
        yield found


def settled(watched, text, where="body"):
    """Wait until a text is to be seen."""
    watched.page.wait_for_function(
        "([where, text]) => (document.querySelector(where)?.innerText ?? '').includes(text)", arg=[where, text]
    )


def feasible(run, **at_most):
    """The trials that keep the study's limits and these upper bounds."""
    seen = view(run)
    return {
        s.record.trial for s in seen.feasible if all(s.record.value(name, JUDGE) <= bound for name, bound in at_most.items())
    }


def column(watched, name):
    """The cells of a column of the table, from top to bottom."""
    return watched.page.evaluate(
        """name => { const table = document.querySelector('table.designs');
        const named = cell => cell.querySelector('span').textContent.replace(/[\u200b ▲▼]/g, '');
        const heads = [...table.tHead.rows[0].cells].map(named);
        return [...table.tBodies[0].rows].map(row => row.cells[heads.indexOf(name)].textContent); }""",
        name,
    )


def choose(watched, name, value):
    """Pick a value from one of the page's boxes."""
    watched.page.click(f"#{name}")
    watched.page.get_by_role("option", name=value, exact=True).click()
    watched.page.keyboard.press("Escape")


def field(metric):
    return f"""[id='{{"metric":"{metric}","type":"field"}}']"""


def slider(metric):
    return f"""[id='{{"metric":"{metric}","type":"slide"}}']"""


def dragged(watched, box, *shares):
    """Press the mouse at the first of these places in a box, let go at the last."""
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]
    watched.page.mouse.move(*places[0])
    watched.page.mouse.down()
    for place in places[1:]:
        watched.page.mouse.move(*place, steps=6)
    watched.page.mouse.up()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1600, "dark")])
def test_it_is_drawn_without_errors_without_other_hosts_and_without_sideways_scrolling(chrome, address, width, scheme):
    """Front, cards and table; the theme is the system's; every request goes to the server itself."""
    with visiting(chrome, address, width=width, scheme=scheme) as watched:
        watched.page.wait_for_selector("table.designs")
        assert watched.errors == []
        assert all(url.startswith((address, "data:", "blob:")) for url in watched.requests)
        wide = watched.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]
        assert watched.page.evaluate("document.documentElement.dataset.theme") == scheme
        surface = watched.page.evaluate("getComputedStyle(document.querySelector('#front .main-svg')).backgroundColor")
        assert (surface == "rgb(25, 29, 35)") == (scheme == "dark")


def test_axes_are_chosen_and_are_in_the_address(chrome, address):
    """Another figure across, decades, colour by a knob: title, address, and nothing lost on reload."""
    with visiting(chrome, address) as watched:
        choose(watched, "x", "latency_ns")
        settled(watched, "accuracy against latency_ns", "#front")
        choose(watched, "xscale", "log")
        choose(watched, "color", "strategy")
        settled(watched, "strategy resource", "#front")
        watched.page.wait_for_function("location.search.includes('color=strategy')")
        query = watched.page.evaluate("location.search")
        assert {"x=latency_ns", "xscale=log", "color=strategy"} == set(query.lstrip("?").split("&"))
        watched.page.reload()
        settled(watched, "strategy resource", "#front")
        assert watched.page.inner_text("#x").strip() == "latency_ns"
        assert watched.page.evaluate("document.querySelector('#front .js-plotly-plot')._fullLayout.xaxis.type") == "log"
        assert watched.errors == []


def test_a_budget_decides_at_once_who_is_feasible(chrome, address, run):
    """Typed, in per cent, moved and taken away: the counts are those of the records."""
    with visiting(chrome, address) as watched:
        for text, bound in (("20000", 20000), ("25 %", 0.25 * RESOURCES["lut"])):
            watched.page.fill(field("lut"), text)
            watched.page.keyboard.press("Enter")
            settled(watched, f"{len(feasible(run, lut=bound))} of 60 designs keep all budgets", "#headline")
        at = int(watched.page.input_value(slider("lut")))
        assert 0 < at < 100
        watched.page.focus(slider("lut"))
        watched.page.keyboard.press("ArrowLeft")
        watched.page.wait_for_function("before => document.activeElement.value < before", arg=at)
        watched.page.wait_for_function(
            "([where, was]) => document.querySelector(where).value !== was", arg=[field("lut"), "25 %"]
        )
        text = watched.page.input_value(field("lut"))
        assert text.endswith(" %")  # the slider speaks as the field does
        bound = float(text.removesuffix(" %")) / 100 * RESOURCES["lut"]
        settled(watched, f"{len(feasible(run, lut=bound))} of 60 designs keep all budgets", "#headline")
        watched.page.keyboard.press("End")
        watched.page.wait_for_function("where => document.querySelector(where).value === ''", arg=field("lut"))
        watched.page.click("#reset")
        settled(watched, f"{len(feasible(run))} of 60 designs keep all budgets", "#headline")
        assert watched.page.input_value(field("lut")) == "53200"
        assert watched.errors == []


def test_of_many_moves_the_last_one_counts(chrome, address, run):
    """A slider that is dragged asks more often than it is answered; what was overtaken is not shown in the end."""
    with visiting(chrome, address) as watched:
        watched.page.evaluate(
            """where => { const slider = document.querySelector(where);
            const put = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
            for (const at of [90, 10, 80, 20, 70, 35, 60, 45]) {
              put.call(slider, String(at));
              slider.dispatchEvent(new Event('input', { bubbles: true }));
            } }""",
            slider("lut"),
        )
        watched.page.wait_for_function("() => new URLSearchParams(location.search).has('budget.lut')")
        watched.page.wait_for_function(
            "where => new URLSearchParams(location.search).get('budget.lut') === document.querySelector(where).value",
            arg=field("lut"),
        )
        bound = float(watched.page.input_value(field("lut")))
        settled(watched, f"{len(feasible(run, lut=bound))} of 60 designs keep all budgets", "#headline")
        assert watched.page.input_value(slider("lut")) == "45"
        assert watched.errors == []


def test_a_moved_budget_and_an_opened_page_ask_once(chrome, address):
    """The address is answered while the page is set up, a slider's move before the page's other parts hear of it: not twice."""
    with visiting(chrome, address) as watched:
        watched.page.wait_for_selector(slider("lut"))
        asked = [url for url in watched.requests if url.endswith("/answer")]
        assert len(asked) == 1
        watched.page.focus(slider("lut"))
        watched.page.keyboard.press("ArrowLeft")
        watched.page.wait_for_function("() => new URLSearchParams(location.search).has('budget.lut')")
        watched.page.wait_for_timeout(1000)
        assert len([url for url in watched.requests if url.endswith("/answer")]) == 2
        assert watched.errors == []


def test_a_studys_own_scores_are_drawn_and_bounded(chrome, tmp_path):
    """Per cent of a fraction, a bound below 0, an axis with figures below 0."""
    with serving(own_run(tmp_path / "run").folder) as address, visiting(chrome, f"{address}?y=rejection&x=bias") as watched:
        settled(watched, "rejection against bias", "#front")
        watched.page.fill(field("bias"), "-1")
        settled(watched, "bias >= -1 binds", "#headline")
        watched.page.fill(field("rejection"), "60 %")
        settled(watched, "3 of 12 designs keep all budgets", "#headline")
        assert 0 < int(watched.page.input_value(slider("bias"))) <= 100
        assert watched.errors == []


def test_an_impossible_budget_says_how_far_the_nearest_design_is(chrome, address):
    """And a text that is no number says so, beside its field."""
    with visiting(chrome, address) as watched:
        watched.page.fill(field("lut"), "10")
        settled(watched, "No feasible design: the nearest, trial", "#headline")
        settled(watched, "loosen a budget", "#picks")
        watched.page.fill(field("lut"), "many")
        settled(watched, "is no number", ".side")
        assert watched.errors == []


def test_the_best_design_of_another_objective_is_named(chrome, address, run):
    """The least LUT within the budgets."""
    least = min(view(run).feasible, key=lambda s: s.record.value("lut", JUDGE)).record.trial
    with visiting(chrome, address) as watched:
        choose(watched, "best", "lut")
        settled(watched, f"trial {least}", ".pick.best")
        assert watched.errors == []


def test_a_click_on_a_point_selects_its_design(chrome, address):
    """It shows in its card, is marked in the table, is in the address, and hovering tells its knobs."""
    with visiting(chrome, address) as watched:
        drawn = "document.querySelector('#front .js-plotly-plot').data"
        front = watched.page.evaluate(f"{drawn}.findIndex(trace => trace.name.startsWith('front ('))")
        point = watched.page.locator(f"#front .scatterlayer .trace >> nth={front}").locator("path.point >> nth=0")
        box = point.bounding_box()
        watched.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        settled(watched, "reuse_factor", ".tip")
        told = watched.page.inner_text(".tip")
        trial = re.search(r"trial (\d+)", told)[1]
        watched.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        settled(watched, f"trial {trial}", ".pick.selected")
        watched.page.wait_for_function("trial => new URLSearchParams(location.search).get('trial') === trial", arg=trial)
        watched.page.fill("#filter", f"trial={trial}")
        settled(watched, "1 of 60", "#chips")
        watched.page.wait_for_selector("tr.selected")
        assert watched.page.inner_text("tr.selected td >> nth=0") == trial
        assert watched.errors == []


def test_the_lasso_narrows_the_table(chrome, address):
    """To the designs that lie within, until it is let go."""
    with visiting(chrome, address) as watched:
        watched.page.hover("#front .plotly")
        watched.page.click("#front [data-title='Lasso Select']")
        area = watched.page.locator("#front .nsewdrag").bounding_box()
        dragged(watched, area, (0.02, 0.02), (0.5, 0.02), (0.5, 0.6), (0.02, 0.6), (0.02, 0.02))
        settled(watched, "in the lasso", "#chips")
        inside = int(re.search(r"(\d+) in the lasso", watched.page.inner_text("#chips"))[1])
        assert 0 < inside < 60
        settled(watched, f"{inside} of 60", "#chips")
        watched.page.click("#chips button")
        settled(watched, "60 of 60", "#chips")
        assert watched.errors == []


def test_the_table_is_sorted_filtered_and_leafed_through(chrome, address, run):
    """Numbers as numbers, both ways; terms of a filter; pages; a row selects."""
    luts = {str(record.trial): record.value("lut", JUDGE) for record in run.records}
    with visiting(chrome, address) as watched:
        watched.page.wait_for_selector("table.designs")
        for order in ("ascending", "descending"):
            watched.page.click("table.designs th:has-text('lut') button")
            watched.page.wait_for_selector(f"table.designs th[aria-sort='{order}']")
            shown = [luts[trial] for trial in column(watched, "trial")]
            assert shown == sorted(shown, reverse=order == "descending")
        watched.page.click(".leafing button:has-text('on')")
        settled(watched, "page 2 of 3", ".leafing")
        watched.page.fill("#filter", "strategy=latency lut<20000")
        wanted = {
            t
            for t, r in ((str(r.trial), r) for r in run.records)
            if (luts[t] or 1e9) < 20000 and r.design.knobs["strategy"] == "latency"
        }
        settled(watched, f"{len(wanted)} of 60", "#chips")
        settled(watched, "page 1", ".leafing")
        assert set(column(watched, "trial")) <= wanted
        watched.page.fill("#filter", "beauty<3")
        settled(watched, "there is no column 'beauty'", "#table")
        watched.page.fill("#filter", "front")
        settled(watched, f"{len(view(run).front)} of 60", "#chips")
        watched.page.click("table.designs tbody tr >> nth=1")
        watched.page.wait_for_selector("tr.selected")
        assert watched.errors == []


def test_only_what_changes_the_picture_asks_for_it(chrome, address):
    """Sorting, filtering and a look at another tab leave it; a budget, a choice of colour and a selected design do not."""
    with visiting(chrome, address) as watched:
        page = watched.page

        def asks(act):
            with page.expect_request("**/answer") as caught:
                act()
            caught.value.response().finished()
            return caught.value.post_data_json["picture"]

        page.wait_for_selector("table.designs")
        assert not asks(lambda: page.click("table.designs th:has-text('lut') button"))
        assert not asks(lambda: page.fill("#filter", "latency"))
        assert asks(lambda: page.fill(field("lut"), "20000"))
        asks(lambda: page.click(".tabs label:has-text('Design')"))
        assert not asks(lambda: page.click(".tabs label:has-text('Front')"))
        assert asks(lambda: choose(watched, "color", "strategy"))
        settled(watched, "strategy resource", "#front")
        assert asks(lambda: page.click("table.designs tbody tr >> nth=1"))
        page.wait_for_function("() => document.querySelector('#front .graph').data.some(t => t.name?.startsWith('selected'))")
        assert watched.errors == []


def test_two_designs_are_compared_side_by_side(chrome, address, run):
    """From the cards; what differs is marked; swapped; one alone again; the address brings both back."""
    knee = view(run).knee.record.trial
    with visiting(chrome, address) as watched:
        watched.page.click(".pick.best button:has-text('select')")
        settled(watched, "trial", ".pick.selected .trial")
        best = int(watched.page.inner_text(".pick.selected .trial").split()[1])
        assert best != knee
        watched.page.click(".pick.knee button:has-text('compare')")
        settled(watched, f"Trial {knee}", "#design")
        settled(watched, f"Trial {best}", "#design")
        assert watched.page.locator("#design tr.marked").count() > 2
        watched.page.wait_for_selector("#design .main-svg")
        watched.page.click("#swap")
        watched.page.wait_for_function("knee => document.querySelector('#trial').value === knee", arg=str(knee))
        settled(watched, f"Trial {knee}", "#design .card:first-child h2")
        watched.page.wait_for_function("location.search.includes('other=')")
        watched.page.reload()
        settled(watched, f"Trial {knee}", "#design .card:first-child h2")
        watched.page.click("#single")
        settled(watched, "Figures, and who says so", "#design")
        assert watched.page.locator("#design h2:has-text('Trial')").count() == 1
        assert watched.errors == []


def test_another_judge_has_a_front_of_its_own(chrome, address, run):
    """The title names it, the count is of its designs alone."""
    other = view(run, "vitis")
    with visiting(chrome, address) as watched:
        watched.page.click(".judges label:has-text('vitis')")
        settled(watched, "judge vitis: Vitis HLS 2023.2 (hls", "#front")
        settled(watched, f"{len(other.feasible)} of 60 designs keep all budgets", "#headline")
        watched.page.wait_for_function("location.search.includes('judge=vitis')")
        assert watched.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_search_is_told_in_full(chrome, address, run, scheme):
    """Every picture has something in it; failures come with their messages."""
    with visiting(chrome, f"{address}?tab=search", scheme=scheme, ready="#search .card") as watched:
        watched.page.wait_for_function("document.querySelectorAll('#search .js-plotly-plot').length >= 7")
        watched.page.wait_for_selector("#search .parcoords")
        told = watched.page.inner_text("#search")
        for failure in {record.failure.message for record in run.records if record.failure}:
            assert failure in told
        assert "trial" in told
        words, last = watched.page.evaluate(
            """() => { const end = one => one.getBoundingClientRect().right;
            const over = text => end(text) - end(text.closest('.card'));
            const axes = [...document.querySelectorAll('#search-parallel .y-axis')].map(end);
            return [[...document.querySelectorAll('#search .bartext, #search .xtitle')].map(over),
              end(document.querySelector('#search-parallel')) - Math.max(...axes)]; }"""
        )
        assert max(words) < 0  # what stands behind a bar or below an axis is there to its last letter
        lines = watched.page.evaluate(
            """() => [...document.querySelectorAll('#search-messages td:nth-child(2)')].map(cell => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return new Set([...range.getClientRects()].map(line => line.top)).size; })"""
        )
        assert set(lines) == {1}  # a stage's name is not broken
        assert last < 100  # axes have the page's width
        wide = watched.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]
        assert watched.errors == []


def test_a_sweep_that_goes_on_is_followed_without_a_reload(chrome, tmp_path):
    """New records come in by themselves while the lock is held; a torn line does no harm; at the end it says so."""
    draw = random.Random(4)
    records = [record_of(n, parameters_of(draw), draw, LIMITS) for n in range(30)]
    asked = [Asked(40, design_of(parameters_of(draw)), {}, "2026-05-04T11:00:00+00:00")]
    folder = write_run(tmp_path / "digits", records[:10], asked=asked).folder
    with serving(folder) as address, journal.only_runner(folder, "run"), visiting(chrome, address) as watched:
        settled(watched, "running: 10 trials", "#pulse")
        navigations = len([url for url in watched.requests if url == address])
        with (folder / RECORDS_FILE).open("a") as file:
            file.write(json.dumps(records[10].as_json())[:200])
        journal.append(folder / RECORDS_FILE, [record.as_json() for record in records[10:25]])
        settled(watched, "running: 25 trials", "#pulse")
        settled(watched, "of 25 designs", "#headline")
        settled(watched, "of 25", "#chips")
        watched.page.click(".tabs label:has-text('Search')")
        settled(watched, "Running now", "#search")
        settled(watched, "40", "#search")
        journal.append(folder / RECORDS_FILE, [record.as_json() for record in records[25:]])
        settled(watched, "running: 30 trials", "#pulse")
        settled(watched, f"{len([r for r in records if r.judges])} of 30 designs", ".judges")
        assert len([url for url in watched.requests if url == address]) == navigations
        assert watched.errors == []


def test_a_page_that_is_left_open_sees_a_sweep_that_begins_later_and_its_new_judge(chrome, tmp_path):
    """Nothing runs when it is opened; then a sweep goes on, and a tool adds figures: both are there without a reload."""
    draw = random.Random(4)
    records = [record_of(n, parameters_of(draw), draw, LIMITS) for n in range(20)]
    folder = write_run(tmp_path / "digits", records[:10]).folder
    with serving(folder) as address, visiting(chrome, address) as watched:
        settled(watched, "not running: 10 trials", "#pulse")
        with journal.only_runner(folder, "run"):
            journal.append(folder / RECORDS_FILE, [record.as_json() for record in records[10:]])
            settled(watched, "running: 20 trials", "#pulse")
            measured = next(record for record in records if record.judges)
            found = synthesized(measured.design, VITIS, Source("synthesize", "Vitis HLS", "2023.2", "hls", "7" * 64), sure=True)
            journal.append(folder / RECORDS_FILE, [added_row(measured.trial, (found,))])
            settled(watched, "1 of 20 designs", ".judges")
        watched.page.click(".judges label:has-text('vitis')")
        settled(watched, "judge vitis: Vitis HLS 2023.2 (hls", "#front")
        assert watched.page.is_visible("#others")
        assert watched.errors == []


def test_a_page_follows_a_study_whose_judge_is_another_one_now(chrome, tmp_path):
    """Estimated again by a newer fit while the page is open: it shows the study's judge, and the one before is still there."""
    draw = random.Random(4)
    records = [record_of(n, parameters_of(draw), draw, LIMITS) for n in range(20)]
    folder = write_run(tmp_path / "digits", records).folder
    newer = Judge("estimate", "csynth", "law-9", "estimated", JUDGE.part, JUDGE.clock_ns)
    measured = [record for record in records if record.judges]
    with serving(folder) as address, journal.only_runner(folder, "run"), visiting(chrome, address) as watched:
        study = json.loads((folder / STUDY_FILE).read_text())
        (folder / STUDY_FILE).write_text(json.dumps({**study, "goals": goals(judge=newer).as_json()}))
        source = Source("synthesize", "estimate", "law-9", "estimated", "9" * 64)
        added = [added_row(record.trial, (synthesized(record.design, newer, source),)) for record in measured]
        journal.append(folder / RECORDS_FILE, added)
        settled(watched, "judge estimate: csynth law-9", "#front")
        settled(watched, f"law-9\nestimated · {JUDGE.part} · 5 ns\n{len(measured)} of 20 designs", ".judges")
        watched.page.click(".judges label:has-text('law-1')")
        settled(watched, "judge estimate: csynth law-1", "#front")
        assert watched.errors == []


def test_new_trials_leave_what_is_looked_at_in_the_search_as_it_is(chrome, tmp_path):
    """Zoomed axes and a brushed range stay when trials come in, and many trials are few new pictures."""
    draw = random.Random(4)
    records = [record_of(n, parameters_of(draw), draw, LIMITS) for n in range(60)]
    folder = write_run(tmp_path / "digits", records[:40]).folder
    slices, brushed, volume = (
        f"document.querySelector('#search-{name} > .graph')" for name in ("slices", "parallel", "hypervolume")
    )
    reached = f"{volume}._fullLayout.xaxis.range[1]"
    with (
        serving(folder) as address,
        journal.only_runner(folder, "run"),
        visiting(chrome, f"{address}?tab=search", ready="#search .parcoords") as watched,
    ):
        watched.page.wait_for_selector("#search-failures .main-svg")
        for where, shares in (
            ("#search-slices .nsewdrag >> nth=0", ((0.2, 0.2), (0.7, 0.7))),
            ("#search-parallel .axis-brush .background >> nth=0", ((0.5, 0.3), (0.5, 0.6))),
        ):
            place = watched.page.locator(where)
            place.scroll_into_view_if_needed()
            dragged(watched, place.bounding_box(), *shares)
        chosen = f"JSON.stringify([{slices}._fullLayout.yaxis.range, {brushed}._fullData[0].dimensions[0].constraintrange])"
        watched.page.wait_for_function(f"{slices}._fullLayout.yaxis.autorange === false")
        watched.page.wait_for_function(f"{brushed}._fullData[0].dimensions[0].constraintrange !== undefined")
        before = watched.page.evaluate(chosen)
        watched.page.evaluate(f"() => {{ window.times = 0; {volume}.on('plotly_afterplot', () => window.times++); }}")
        for record in records[40:]:
            journal.append(folder / RECORDS_FILE, [record.as_json()])
            watched.page.wait_for_timeout(300)
        settled(watched, "running: 60 trials", "#pulse")
        watched.page.wait_for_function(f"{reached} === 60")
        watched.page.wait_for_timeout(500)
        assert watched.page.evaluate(chosen) == before
        assert watched.page.evaluate("window.times") <= 2
        assert watched.errors == []


def test_an_address_brings_the_whole_view_back(chrome, address, run):
    """As a colleague gets it: budgets, axes, colour, trial, filter, sorting."""
    query = "?x=dsp&y=lut&color=strategy&budget.latency_ns=200&trial=3&filter=strategy%3Dlatency&sort=-lut&best=lut"
    with visiting(chrome, address + query) as watched:
        settled(watched, f"{len(feasible(run, latency_ns=200))} of 60", "#headline")
        settled(watched, "lut against dsp", "#front")
        settled(watched, "trial 3", ".pick.selected")
        watched.page.wait_for_selector("table.designs th[aria-sort='descending']")
        assert watched.page.input_value("#filter") == "strategy=latency"
        shown = dict(pair.split("=") for pair in watched.page.evaluate("location.search").lstrip("?").split("&"))
        assert shown == dict(pair.split("=") for pair in query.lstrip("?").split("&"))


def test_the_back_button_leads_through_tabs_and_designs(chrome, address, run):
    """Not out of the page; forward again. Budgets and axes belong to the view they were moved in: no steps of their own."""
    with visiting(chrome, address) as watched:
        page = watched.page
        choose(watched, "x", "latency_ns")
        page.fill(field("lut"), "20000")
        settled(watched, f"{len(feasible(run, lut=20000))} of 60", "#headline")
        page.wait_for_function("() => location.search.includes('budget.lut')")
        page.click(".tabs label:has-text('Search')")
        page.wait_for_selector("#search .parcoords")
        page.wait_for_function("() => location.search.includes('tab=search')")
        page.click(".tabs label:has-text('Design')")
        for trial in (3, 8):
            page.fill("#trial", str(trial))
            settled(watched, f"Trial {trial}", "#design h2")
            page.wait_for_function("trial => location.search.includes(`trial=${trial}`)", arg=trial)
        page.go_back()
        settled(watched, "Trial 3", "#design h2")
        assert page.input_value("#trial") == "3"
        page.go_back()
        page.go_back()
        page.wait_for_selector("#search .parcoords")
        page.go_back()
        page.wait_for_selector("#front[data-drawn='all'] .main-svg")
        settled(watched, "accuracy against latency_ns", "#front")
        settled(watched, f"{len(feasible(run, lut=20000))} of 60", "#headline")
        assert page.input_value(field("lut")) == "20000"
        page.wait_for_selector("table.designs")
        page.go_forward()
        page.wait_for_selector("#search .parcoords")
        assert watched.errors == []


def hostile_run(folder):
    """A run whose every text is hostile, with lines that cannot be read."""
    knobs = {f"architecture.{HOSTILE}": HOSTILE}
    records = [
        plain_record(n, accuracy=0.95, dsp=n, lut=9 + n, latency_ns=5, knobs={**knobs, "architecture.n": n}) for n in range(3)
    ]
    records.append(plain_record(5, failure=Failure(HOSTILE, "crash", HOSTILE + "x" * 10_000_000, HOSTILE)))
    write_run(folder, records, name=HOSTILE)
    with (folder / RECORDS_FILE).open("a") as file:
        missing = plain_record(6, accuracy=0.9).as_json()
        del missing["measurements"]
        for line in (
            '{"v": 1, "kind": "record", "x": NaN}',
            "<script>alert(3)</script>",
            json.dumps(missing),
            '{"v": 77, "kind": "record"}',
        ):
            file.write(line + "\n")
    return folder


def test_a_hostile_run_is_shown_as_text(chrome, tmp_path):
    """Tags in names, knobs, messages and files; 10 MB of message; lines of rubbish: told, and nothing runs."""
    with serving(hostile_run(tmp_path / "run")) as address, visiting(chrome, address) as watched:
        assert watched.page.inner_text("h1") == HOSTILE
        settled(watched, "4 lines of", "#alerts")
        settled(watched, "line 7: there is no 'measurements'", "#alerts")
        choose(watched, "color", f"architecture.{HOSTILE}")
        settled(watched, f"architecture.{HOSTILE}", "#front")
        watched.page.click("table.designs tbody tr >> nth=0")
        settled(watched, "trial", ".pick.selected .trial")
        for tab, where in (("Search", "#search"), ("Design", "#design")):
            watched.page.click(f".tabs label:has-text('{tab}')")
            settled(watched, HOSTILE, where)
        watched.page.fill("#trial", "5")
        settled(watched, "characters; `dse show` has all", "#design")
        assert watched.dialogs == []
        assert watched.errors == []
        assert watched.page.evaluate("document.querySelectorAll('img').length") == 0
        assert all(url.startswith((address, "data:", "blob:")) for url in watched.requests)


def test_a_hostile_address_runs_nothing(chrome, address):
    """Whatever it holds, the page comes up with what makes sense of it."""
    names = ("filter", "color", "judge", "part", "sort", "run", "budget.lut")
    query = f"?{'&'.join(f'{name}={HOSTILE}' for name in names)}&trial=99999"
    with visiting(chrome, address + query) as watched:
        settled(watched, "Trial 99999 has no record", ".pick.selected")
        settled(watched, "is no number", ".side")
        assert watched.dialogs == []
        assert watched.page.evaluate("document.querySelectorAll('img').length") == 0


def test_another_sites_page_cannot_read_it(chrome, address):
    """A script of another origin gets no answer that it could read, and frames are refused."""
    tab = chrome.new_page()
    tab.route("http://evil.example/*", lambda route: route.fulfill(body="<p>evil", content_type="text/html"))
    tab.goto("http://evil.example/")
    assert tab.evaluate("url => fetch(url).then(() => 'read', () => 'refused')", f"{address}get/record?trial=3") == "refused"
    tab.close()


def test_without_webgl_the_search_is_drawn_in_plain_shapes(chrome, address):
    """Parallel coordinates need WebGL; where a browser has none, lines take their place."""
    context = chrome.new_context()
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto(f"{address}?tab=search")
    tab.wait_for_function("document.querySelectorAll('#search .js-line').length > 3")
    assert "WebGL" not in tab.inner_text("body")
    context.close()


def test_the_run_is_the_same_afterwards(run):
    """All that was done above has left the folder as it was."""
    assert sorted(path.name for path in run.folder.iterdir()) == ["records.jsonl", "study.json"]
    assert len(open_run(run.folder).records) == 60
