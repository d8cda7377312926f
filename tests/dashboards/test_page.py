"""One file, nothing fetched, nothing of a record read as code."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from build_run import JUDGE, VITIS, build_run, goals, plain_record, write_run

from dashboards.page import render
from dse.errors import UsageError
from dse.goals import Limit
from dse.record import Failure
from dse.view import view

HOSTILE = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>&amp;"


class Page(HTMLParser):
    """The page's elements and texts; scripts apart."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.scripts, self.styles, self.rows = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data
            return
        if self.cdata_elem == "style":
            self.styles.append(data)
            return
        self.texts.append(data)
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    @property
    def text(self):
        return " ".join(self.texts)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture(scope="module")
def page(run):
    return Page(render(run))


def test_the_page_refers_to_nothing_outside_itself(page):
    """No address in any attribute that a browser would fetch, and a policy that forbids fetching."""
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "data", "action", "poster", "background"):
            assert name not in attributes or attributes[name] == "data:,", (tag, attributes)
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert "url(" not in "".join(page.styles)


def test_the_heading_says_study_judge_part_clock_goals_and_counts(page, run):
    """What a picture means without its study is not worth much."""
    for words in ("digits", JUDGE.name, JUDGE.part, "5 ns", "accuracy max", "lut <= 53200", "dsp <= 100 % of the part"):
        assert words in page.text
    counts = view(run).counts
    shown = {name: int(count) for count, name in re.findall(r"<div class='tile'><b>([\d,]+)</b><span>([^<]+)", render(run))}
    assert shown == {
        "finished": 60,
        "on the front": len(view(run).front),
        "feasible": counts["measured"],
        "over a limit": counts["infeasible"],
        "stopped early": counts["pruned"],
        "failed": counts["failed"],
        "begun, not finished": 2,
    }


def test_the_table_has_a_row_for_every_design_of_the_front(page, run):
    """Trial numbers in the front's order, readable without any script."""
    trials = [row[0] for row in page.rows if row and row[0].isdigit()]
    assert trials == [str(s.record.trial) for s in view(run).front]


def test_every_different_failure_is_told_once_with_its_trials(page, run):
    """Kind, stage, trials, message."""
    for standing in view(run).standings:
        failure = standing.record.failure
        if failure is not None:
            rows = [row for row in page.rows if row[:2] == [failure.kind, failure.stage] and failure.message in row[3]]
            assert len(rows) == 1
            assert str(standing.record.trial) in rows[0][2].split(", ")


def test_the_embedded_figures_are_the_figures(page, run):
    """What the browser draws is read back from the page: every front design with its accuracy and trial."""
    data = json.loads(page.scripts[0])
    front = next(t for t in data["figures"]["front-1"]["data"] if t["name"].startswith("front ("))
    assert sorted(front["customdata"]) == sorted(s.record.trial for s in view(run).front)
    assert set(data["figures"]) >= {"matrix", "front-0", "front-1", "front-2", "parallel", "hypervolume", "failures", "stages"}


def test_the_same_run_gives_the_same_page(run):
    """A page can be compared with an older one byte for byte."""
    assert render(run) == render(run)


def test_another_judge_gives_another_page(run):
    """The other judge's name and part, its front, and an error for a judge that is none."""
    assert VITIS.name in Page(render(run, "vitis")).text
    with pytest.raises(UsageError, match="none of the judges"):
        render(run, "vivado")


def test_hostile_text_stays_text(tmp_path):
    """A study, knob, layer, message or log that holds tags adds no element, no attribute and no script."""
    knobs = {f"architecture.{HOSTILE}": HOSTILE}
    records = [
        plain_record(n, accuracy=0.95, dsp=n, lut=9 - n, latency_ns=5, knobs={**knobs, "architecture.n": n}) for n in range(3)
    ]
    records.append(plain_record(5, failure=Failure(HOSTILE, "crash", HOSTILE, HOSTILE)))
    records = [replace(record, seconds={HOSTILE: 1.0}, effective={HOSTILE: HOSTILE}) for record in records]
    hostile = Page(render(write_run(tmp_path / "h", records, name=HOSTILE)))
    harmless = [replace(r, failure=r.failure and Failure("emulate", "crash", "m", "l")) for r in records]
    plain = Page(render(write_run(tmp_path / "p", harmless, name="plain")))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert not any("onerror" in attributes for _, attributes in hostile.tags)
    assert len(hostile.scripts) == 3
    assert HOSTILE in hostile.text
    assert "<" not in hostile.scripts[0]


def test_a_message_of_ten_megabytes_is_cut(tmp_path):
    """A page stays a page; the whole message is where the record is."""
    size = 10_000_000
    record = plain_record(0, failure=Failure("convert", "tool", "x" * size, "y" * size))
    text = render(write_run(tmp_path, [record]))
    assert "10,000,000 characters" in text
    assert len(text) < len(render(write_run(tmp_path / "empty", []))) + 100_000


@pytest.mark.parametrize(
    ("records", "what", "words"),
    [
        ([], None, "No trial has finished yet."),
        ([plain_record(0, failure=Failure("train", "crash", "boom"))], None, "All 1 trials failed"),
        (
            [plain_record(3, accuracy=0.95, dsp=1, lut=53200 * 1.12, latency_ns=1)],
            goals(limits=(Limit("lut", at_most=53200),)),
            "No feasible design: the nearest, trial 3, violates lut <= 53200 by 12 %.",
        ),
        ([plain_record(0, accuracy=0.95)], None, "has not stated all figures of any design yet"),
    ],
    ids=["empty", "failed", "infeasible", "unjudged"],
)
def test_where_there_is_no_front_the_page_says_why(tmp_path, records, what, words):
    """What is missing, and by how much."""
    assert words in Page(render(write_run(tmp_path, records, what=what))).text


def test_nothing_on_the_page_is_nan(run):
    """A missing figure is an empty cell."""
    page = render(run)
    own = page[: page.index("<script type='application/json'")]
    assert "nan" not in re.sub(r"<style>.*?</style>", "", own, flags=re.DOTALL).lower()
