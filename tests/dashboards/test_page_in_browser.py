"""The page in a real browser: it draws, sorts, changes its theme, fetches nothing and runs nothing of a record."""

from __future__ import annotations

import pytest
from browser import browser, opened
from build_run import build_run, plain_record, write_run

from dashboards.page import render
from dashboards.palette import DARK, LIGHT
from dse.record import Failure
from dse.view import view

pytestmark = pytest.mark.slow

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def chrome():
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture(scope="module")
def page(run):
    path = run.folder / "front.html"
    path.write_text(render(run), encoding="utf-8")
    return path


def column(watched, title):
    """The cells of a column of the front's table, from top to bottom."""
    return watched.page.evaluate(
        """title => { const table = document.getElementById('front-table');
        const named = cell => [...cell.querySelector('button').childNodes].filter(n => n.tagName !== 'SMALL');
        const heads = [...table.tHead.rows[0].cells].map(cell => named(cell).map(n => n.textContent).join(''));
        const at = heads.indexOf(title);
        return [...table.tBodies[0].rows].map(row => row.cells[at].dataset.value ?? row.cells[at].textContent); }""",
        title,
    )


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1600, "light"), (1280, "dark")])
def test_every_figure_is_drawn_without_errors_and_without_network(chrome, page, width, scheme):
    """No console error, no request but for the file itself, something visible in every place, no sideways scrolling."""
    with opened(chrome, page, width=width, scheme=scheme) as watched:
        drawn = watched.page.evaluate(
            "[...document.querySelectorAll('.figure')].map(f => f.querySelectorAll('.main-svg .point, .main-svg .js-line, "
            ".main-svg .gl-canvas, .parcoords, .main-svg .points path').length)"
        )
        wide = watched.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert watched.errors == []
        assert watched.requests == [page.as_uri()]
        assert drawn
        assert all(count > 0 for count in drawn)
        assert wide[0] <= wide[1]


def test_figures_do_not_leave_their_cards(chrome, page):
    """Titles, legends and axes end where the card ends, at the narrowest supported width."""
    with opened(chrome, page, width=1280) as watched:
        outside = watched.page.evaluate(
            """[...document.querySelectorAll('.figure')].flatMap(figure => {
                const card = figure.closest('.card').getBoundingClientRect();
                return [...figure.querySelectorAll('.gtitle, .xtitle, .ytitle, .legendtext, .g-xtitle, .g-ytitle')]
                    .map(e => [e.textContent, e.getBoundingClientRect()])
                    .filter(([_, box]) => box.width > 0 && (box.left < card.left || box.right > card.right + 1))
                    .map(([text, _]) => text); })"""
        )
        assert outside == []


def test_a_click_on_a_heading_sorts_and_another_one_turns_the_order(chrome, page, run):
    """Numbers as numbers (900 before 1,000), rows stay whole, and nothing is lost."""
    front = {str(s.record.trial): s.record.value("lut", run.goals.judge) for s in view(run).front}
    with opened(chrome, page) as watched:
        for order, reverse in (("ascending", False), ("descending", True)):
            watched.page.click("#front-table th:has-text('lut') button")
            head = watched.page.locator("#front-table th:has-text('lut')")
            luts = [float(cell) for cell in column(watched, "lut")]
            assert head.get_attribute("aria-sort") == order
            assert luts == sorted(front.values(), reverse=reverse)
            assert [front[trial] for trial in column(watched, "trial")] == luts


def test_empty_cells_stay_at_the_end(chrome, page):
    """What a design does not set is neither the smallest nor the largest."""
    with opened(chrome, page) as watched:
        for _ in range(2):
            watched.page.click("#front-table th:has-text('weight_bits.output') button")
            cells = column(watched, "weight_bits.output")
            filled = [cell for cell in cells if cell]
            assert 0 < len(filled) < len(cells)
            assert cells[: len(filled)] == filled


def test_the_button_changes_all_colours(chrome, page):
    """Page and figures follow: the front's points get the other theme's blue."""
    front = "[data-figure=front-0] .scatterlayer .trace:nth-child(4) path.point"
    color = f"getComputedStyle(document.querySelector('{front}')).fill"
    with opened(chrome, page, scheme="light") as watched:
        seen = [watched.page.evaluate(color)]
        watched.page.click("#theme")
        seen.append(watched.page.evaluate(color))
        rgb = [tuple(int(c[at : at + 2], 16) for at in (1, 3, 5)) for c in (LIGHT["front"], DARK["front"])]
        assert seen == [f"rgb({r}, {g}, {b})" for r, g, b in rgb]
        assert watched.page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_another_objective_can_be_chosen(chrome, page):
    """The buttons above the front exchange its x axis."""
    with opened(chrome, page) as watched:
        watched.page.click("button[data-figure='front-2']")
        assert watched.page.text_content("[data-figure='front-2'] .g-xtitle").startswith("latency_ns")


def test_without_webgl_a_plain_figure_takes_the_place(chrome, page):
    """Parallel coordinates need WebGL; where a browser has none, lines of plain SVG are drawn instead."""
    context = chrome.new_context()
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    tab = context.new_page()
    tab.goto(page.as_uri())
    tab.wait_for_function("document.querySelectorAll('[data-figure=parallel] .js-line').length > 0")
    assert "WebGL" not in tab.inner_text("body")
    context.close()


def test_the_page_can_send_nothing_anywhere(chrome, page):
    """No button that uploads, and a policy that stops what a script would fetch."""
    with opened(chrome, page) as watched:
        titles = watched.page.evaluate("[...document.querySelectorAll('.modebar-btn')].map(b => b.dataset.title)")
        assert titles
        assert not any("share" in title.lower() or "cloud" in title.lower() for title in titles)
        fetched = watched.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
        assert fetched == "refused"
        assert any("Content Security Policy" in error or "violates" in error for error in watched.errors)


def test_a_hostile_study_runs_no_script(chrome, tmp_path):
    """Tags in names and messages are shown as they are: no dialog, no error, no request, no foreign element."""
    knobs = {f"architecture.{HOSTILE}": HOSTILE}
    records = [
        plain_record(n, accuracy=0.95, dsp=n, lut=9 - n, latency_ns=5, knobs={**knobs, "architecture.n": n}) for n in range(3)
    ]
    records.append(plain_record(5, failure=Failure(HOSTILE, "crash", HOSTILE, HOSTILE)))
    path = tmp_path / "hostile.html"
    path.write_text(render(write_run(tmp_path / "run", records, name=HOSTILE)), encoding="utf-8")
    with opened(chrome, path) as watched:
        watched.page.click("summary")
        watched.page.hover("[data-figure='front-0'] .scatterlayer .point >> nth=0", force=True)
        assert watched.page.inner_text("h1") == HOSTILE
        assert watched.page.title().startswith(HOSTILE)
        assert watched.dialogs == []
        assert watched.errors == []
        assert watched.requests == [path.as_uri()]
        assert watched.page.evaluate("document.querySelectorAll('img').length") == 0
