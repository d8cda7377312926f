"""The dashboard's server: what it gives, to whom, and what it refuses; and the words of its cards."""

from __future__ import annotations

import base64
import gzip
import io
import json
import socket
import zipfile

import numpy as np
import plotly.graph_objects as go
import pytest
from build_run import EMULATION, JUDGE, LIMITS, PART, VITIS, build_run, goals, own_run, plain_record, write_run

pytest.importorskip("dash", reason='the dashboard needs dash: pip install "dse[dashboard]"')

from dashboards.app import Desk, Door, build, cards, choice, detail, grid, layout, listen, plot, trail
from dashboards.app.answers import Asked, answer, encoded
from dashboards.app.pieces import painted
from dashboards.outcomes import Outcomes, outcomes, roc
from dashboards.palette import DARK, LIGHT
from dashboards.state import State
from dse.errors import DseError, StageFailed, UsageError
from dse.export import as_csv
from dse.goals import Limit, Objective
from dse.record import Failure
from dse.run import open_run
from dse.view import view

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "digits").folder


@pytest.fixture(scope="module")
def desk(folder):
    return Desk([folder])


@pytest.fixture
def client(desk):
    return build(desk, Door()).test_client()


def words(piece):
    """All text of a piece of a page."""
    found = []

    def walk(one):
        if isinstance(one, (list, tuple)):
            for inner in one:
                walk(inner)
        elif isinstance(one, (str, int, float)):
            found.append(str(one))
        elif one is not None and getattr(one, "children", None) is not None:
            walk(one.children)
        elif isinstance(one, dict):
            walk(one["props"].get("children"))

    walk(piece)
    return " ".join(found)


@pytest.mark.parametrize("path", ["/", "/_dash-layout", "/assets/app.js", "/get/record?trial=3"])
def test_every_answer_forbids_what_a_page_need_not_do(client, path):
    """No other host, no inline script, no form, no frame."""
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "http" not in policy
    assert "script-src 'self' 'unsafe-eval' 'sha256-" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_names_no_other_host(client):
    """Nothing is fetched from anywhere: scripts and styles are this server's."""
    text = client.get("/").text
    sources = [piece.split('"')[0] for piece in text.split('src="')[1:] + text.split('href="')[1:]]
    assert len(sources) > 8
    assert all(source.startswith("/") and not source.startswith("//") for source in sources)


@pytest.mark.parametrize(
    ("door", "host", "admitted"),
    [
        (Door(), "127.0.0.1:8050", True),
        (Door(), "localhost:8050", True),
        (Door(), "[::1]:8050", True),
        (Door(), "evil.example", False),
        (Door(), "evil.example:8050", False),
        (Door(), "127.0.0.1.evil.example", False),
        (Door(), "10.0.0.3:8050", False),
        (Door("localhost"), "127.0.0.1", True),
        (Door("0.0.0.0"), "10.0.0.3:8050", True),
        (Door("0.0.0.0"), "labmachine:8050", True),
        (Door("0.0.0.0"), "evil.example", False),
        (Door("lab.cern.ch"), "lab.cern.ch:8050", True),
        (Door("lab.cern.ch"), "evil.example", False),
    ],
)
def test_names_that_are_not_the_servers_are_refused(desk, door, host, admitted):
    """A page elsewhere whose name is made to point here gets nothing."""
    client = build(desk, door).test_client()
    for path in ("/", "/get/record?trial=3", "/_dash-layout"):
        assert client.get(path, headers={"Host": host}).status_code == (200 if admitted else 403)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_it_only_reads(client, method):
    """Nothing can be written."""
    assert getattr(client, method)("/get/record?trial=3").status_code == 405


def test_a_record_is_had_as_json(client, folder):
    """All that is known, as `dse show --json` tells it."""
    found = json.loads(client.get("/get/record?trial=3").data)
    record = open_run(folder).record(3)
    assert found["trial"] == 3
    assert found["knobs"] == dict(record.design.knobs)
    assert found["figures"]["lut"]["value"] == record.value("lut", JUDGE)


@pytest.mark.parametrize(
    "query", ["", "?trial=", "?trial=999", "?trial=-1", "?trial=../../etc/passwd", "?trial=3e0", "?trial=³"]
)
def test_a_record_that_there_is_not_is_not_found(client, query):
    """Told in words, not in a traceback."""
    answer = client.get(f"/get/record{query}")
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def asked(client, **given):
    return client.post("/answer", json=given)


def test_an_answer_holds_all_that_a_state_decides(client, desk):
    """The cards, hints, table, picture and address are those that each of them is by itself."""
    state = State(budgets={"lut": "20000"}, filter="strategy=latency", trial=3)
    controls = {"budgets": dict(state.budgets), "filter": state.filter, "trial": state.trial, "tab": "front"}
    look = {"theme": "dark", "webgl": True}
    found = json.loads(
        asked(client, state=controls, look=look, metrics=["lut", "dsp", "nonsense"], page=1, lasso=[3, 5, 7]).data
    )
    seen = desk.see(state)
    table, chips = grid.grid(seen, state, [3, 5, 7], 1)
    every = [seen.record(trial) for trial in range(60)]
    expected = {
        "parts": {
            "headline": cards.headline(seen, state),
            "picks": cards.picks(seen, state),
            "part-note": plot.part_note(seen, state),
            "table": table,
            "chips": chips,
        },
        "hints": {metric: cards.hint(seen, state, metric) for metric in ("lut", "dsp")},
        "query": plot.query(desk, state),
        "version": seen.snapshot.version,
        "stated": {judge.name: f"{sum(judge in one.judges for one in every)} of 60 designs" for judge in (JUDGE, VITIS)},
        "figure": painted(plot.front(desk, seen, state), look),
    }
    assert found == json.loads(encoded(expected))
    assert found["query"] == "?trial=3&filter=strategy%3Dlatency&budget.lut=20000"


@pytest.mark.parametrize(
    "query", ["", "?x=dsp&color=strategy&budget.lut=20000&trial=3", "?x=nonsense&y=uram&z=power_w&color=beauty&symbol=lut"]
)
def test_an_address_alone_is_answered_as_the_page_that_it_opens_will_ask(client, desk, query):
    """So that the page has its answer as soon as it is set up; what this run has none of is passed over."""
    early = json.loads(asked(client, query=query, look={"theme": "light"}).data)
    furnished = str(layout.furnish(desk, State.read(query)))
    state = choice.settled(desk, State.read(query))
    controls = {name: getattr(state, name) or getattr(choice.own_choice(desk.feeds["digits"]), name) for name in "xy"}
    assert f"value='{controls['x']}'" in furnished
    limits = {limit.metric: layout.limit_text(limit) for limit in LIMITS}
    more = {"trial": state.trial, "color": state.color, "budgets": limits | dict(state.budgets)}
    later = asked(client, state=controls | more, look={"theme": "light"}, metrics=list(early["hints"])).data
    assert early == json.loads(later)
    assert {"lut", "dsp", "accuracy"} <= set(early["hints"])
    assert "nonsense" not in early["query"]


@pytest.mark.parametrize("part", ["xc7z010", "xc7z010clg400-1", "xcnonsense"])
def test_a_part_of_an_address_stays_chosen(desk, part):
    """Under its full name, too; one that is not known is told of, and is there to be changed."""
    state = State(part=part)
    assert f"'value': '{part}'" in str(layout.furnish(desk, state))
    told = words(plot.part_note(desk.see(state), state))
    assert part in told
    assert ("not in the table" in told) == (part == "xcnonsense")


def test_plotly_is_bid_to_be_compiled_at_once_and_kept(client):
    """The page's largest script is there once, first of all that is asked for, and need not be asked for again."""
    text = client.get("/").text
    assert text.index('id="plotly"') < text.index("dash_renderer")
    place = text.partition('id="plotly" src="')[2].partition('"')[0]
    found = client.get(place)
    assert found.data.startswith(b"//# allFunctionsCalledOnLoad\n")
    assert b"plotly.js v" in found.data[:200]
    assert "immutable" in found.headers["Cache-Control"]


def test_a_picture_that_the_page_has_already_is_not_sent_again(client):
    """What the table is asked for changes no point of it."""
    found, whole = (json.loads(asked(client, state={"sort": "lut"}, **more).data) for more in ({"picture": False}, {}))
    assert "figure" in whole
    assert found == {name: part for name, part in whole.items() if name != "figure"}


@pytest.mark.parametrize("tab", ["design", "search"])
def test_other_tabs_ask_for_no_picture_and_no_table(client, tab):
    """What is not to be seen is not made."""
    found = json.loads(asked(client, state={"tab": tab}).data)
    assert set(found) == {"parts", "hints", "query", "version", "stated"}
    assert set(found["parts"]) == {"headline", "picks", "part-note"}


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        "x",
        {"state": 3, "look": [], "metrics": {}, "page": -1, "lasso": {}},
        {"state": {"trial": "<b>", "budgets": 7, "x": HOSTILE}, "page": 1e300, "lasso": [None, "3", 2.5, True, -1, 2**70]},
        {"metrics": [HOSTILE, None, 3], "page": 10**9},
    ],
)
def test_a_question_that_makes_no_sense_has_the_pages_own_answer(client, given):
    """Whatever a browser sends: never a traceback."""
    answer = client.post("/answer", json=given)
    assert answer.status_code == 200
    assert json.loads(answer.data)["figure"]["data"]
    assert client.post("/tip", json=given).status_code == 404


def test_what_hovering_says_is_asked_for_one_trial(client, desk):
    """Its figures and knobs; null for a trial that there is not."""
    found = json.loads(client.post("/tip", json={"state": {}, "trial": 3}).data)
    assert found == json.loads(encoded(plot.told(desk.see(State()), 3)))
    assert client.post("/tip", json={"state": {}, "trial": 10**9}).json is None


def test_a_long_answer_is_compressed_for_those_who_can_read_it(client):
    """The same bytes, fewer on the way."""
    plain = asked(client, state={"tab": "front"})
    packed = client.post("/answer", json={"state": {"tab": "front"}}, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2


def test_the_table_is_the_exported_one(client, folder):
    """The same file as `dse export`, under the page's budgets."""
    assert client.get("/get/table").data == as_csv(view(open_run(folder)))
    narrowed = client.get("/get/table?budget.lut=3000").text
    assert narrowed.count(",infeasible,") > client.get("/get/table").text.count(",infeasible,")


def stored(tmp_path, *, labels=True, outputs=None):
    """A run whose trial 0 has entries in the store."""
    run = build_run(tmp_path / "digits", 12)
    record = run.record(0)
    keys = {**record.entries, "emulate": EMULATION.key}
    for stage, key in keys.items():
        entry = tmp_path / "store" / stage / key[:2] / key
        entry.mkdir(parents=True)
        (entry / "report.txt").write_text(stage)
    entry = tmp_path / "store" / "emulate" / keys["emulate"][:2] / keys["emulate"]
    given = np.eye(3)[[0, 1, 2, 1]] if outputs is None else outputs
    with (entry / "outputs.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, validation=given)
    if labels:
        np.save(entry / "labels-validation.npy", np.array([0, 1, 2, 2]), allow_pickle=False)
    return run, record


def test_files_of_a_stage_are_had_as_an_archive(tmp_path):
    """Those of the store's entry that the record names, and what leads out of it is left out."""
    run, record = stored(tmp_path)
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    entry = next((tmp_path / "store" / "synthesize").glob("*/*"))
    (entry / "link.txt").symlink_to(secret)
    client = build(Desk([run.folder]), Door()).test_client()
    answer = client.get("/get/files?trial=0&stage=synthesize")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist() == ["report.txt"]
        assert archive.read("report.txt") == b"synthesize"
    assert record.trial == 0


def test_reports_of_all_stages_come_in_one_archive(tmp_path):
    """The record and what people read, by stage; arrays and links are left out."""
    run, record = stored(tmp_path)
    client = build(Desk([run.folder]), Door()).test_client()
    with zipfile.ZipFile(io.BytesIO(client.get("/get/reports?trial=0").data)) as archive:
        names = archive.namelist()
        assert names[0] == "record.json"
        assert {f"{stage}/report.txt" for stage in record.entries} <= set(names)
        assert not any(name.endswith(".npz") for name in names)
        assert archive.read("record.json") == client.get("/get/record?trial=0").data
        assert archive.read("convert/report.txt") == b"convert"


def test_a_package_is_made_when_asked_for_and_its_folder_is_gone_afterwards(tmp_path):
    """By whom the dashboard was given; what cannot be packed is told in words."""
    run, _ = stored(tmp_path)
    seen = []

    def pack(given, trial, kind, out):
        seen.append((given.record(trial).trial, kind, out))
        if trial == 1:
            raise UsageError("trial 1 cannot be packed: it was not emulated")
        if kind == "verilog" and trial == 2:
            raise StageFailed("unsupported", "unrolled designs have a reuse factor of 1")
        (out / "project").mkdir(parents=True)
        (out / "project" / "top.cpp").write_text("int main;")
        return out

    client = build(Desk([run.folder]), Door(), pack).test_client()
    for query, kind in (("", "hls"), ("&as=verilog", "verilog"), ("&as=../..", "hls")):
        answer = client.get(f"/get/package?trial=0{query}")
        assert f'filename="digits-trial-0-{kind}.zip"' in answer.headers["Content-Disposition"]
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            assert archive.namelist() == [f"digits-trial-0-{kind}/project/top.cpp"]
        assert seen[-1][:2] == (0, kind)
        assert not seen[-1][2].parent.exists()
    answer = client.get("/get/package?trial=1")
    assert (answer.status_code, answer.text) == (404, "trial 1 cannot be packed: it was not emulated\n")
    assert not seen[-1][2].parent.exists()
    assert client.get("/get/package?trial=999").status_code == 404
    answer = client.get("/get/package?trial=2&as=verilog")
    assert (answer.status_code, answer.text) == (422, "unrolled designs have a reuse factor of 1\n")


@pytest.mark.parametrize("stage", ["", "../..", "/etc", "synthesize/../../..", "store", "nonsense", "%2e%2e"])
def test_no_request_is_a_path(tmp_path, stage):
    """A stage is looked up among those that the record names."""
    run, _ = stored(tmp_path)
    client = build(Desk([run.folder]), Door()).test_client()
    assert client.get(f"/get/files?trial=0&stage={stage}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/assets/../server.py", "/assets/..%2fserver.py", "/assets//etc/passwd", "/_dash-component-suites/dash/../../x"]
)
def test_nothing_outside_is_served(client, path):
    """Neither by assets nor by components."""
    answer = client.get(path)  # what is no file is the page itself
    assert answer.status_code in (400, 404) or answer.text.startswith("<!doctype html>")
    assert "root:" not in answer.text
    assert "import" not in answer.text


def test_a_port_that_is_taken_is_told_of_and_else_the_next_is_had(desk):
    """One's own choice is kept to; without one the first free port."""
    server = build(desk, Door())
    one, address = listen(server, Door(port=0))
    try:
        port = one.port
        assert address == f"http://127.0.0.1:{port}/"
        with pytest.raises(DseError, match=f"port {port}: cannot listen"):
            listen(server, Door(port=port))
    finally:
        one.server_close()
    with pytest.raises(DseError, match="cannot listen there"):
        listen(server, Door("no such host", 0))
    two, address = listen(server, Door())
    two.server_close()
    with socket.socket() as probe:
        assert address.startswith("http://127.0.0.1:80")
        assert probe.fileno() >= 0


def test_the_headline_says_what_keeps_the_budgets_and_what_binds(desk, folder):
    """Counts and the binding budget are those of a view with these limits."""
    state = State(budgets={"lut": "20000", "latency_ns": "300"})
    seen = desk.see(state)
    limits = (Limit("accuracy", at_least=0.9), Limit("dsp", at_most_percent=100), Limit("lut", at_most=20000),
              Limit("latency_ns", at_most=300))  # fmt: skip
    expected = view(write_like(folder, limits))
    told = words(cards.headline(seen, state))
    assert len(expected.front) > 1
    assert f"{len(expected.feasible)} of 60 designs keep all budgets; {len(expected.front)} of them are on the front." in told
    bound = seen.sight.binding()
    assert (f"{bound.limit} binds: trial" in told) if bound else ("No budget holds" in told)


def write_like(folder, limits):
    from dataclasses import replace

    run = open_run(folder)
    return replace(run, goals=replace(run.goals, limits=limits))


def test_where_nothing_is_feasible_the_nearest_design_is_named(tmp_path):
    """And what to do, by how much the nearest one misses."""
    what = goals((Objective("accuracy"), Objective("lut")), (Limit("lut", at_most=1000), Limit("accuracy", at_least=0.5)))
    run = write_run(tmp_path, [plain_record(n, accuracy=0.9, lut=1120 + 100 * n) for n in range(3)], what=what)
    desk = Desk([run.folder])
    told = words(cards.headline(desk.see(State()), State()))
    assert "No feasible design: the nearest, trial 0, violates lut <= 1000 by 12 %." in told
    assert "Trial 0 keeps every budget but lut <= 1000: it needs lut 1,120." in told
    assert "loosen a budget" in words(cards.picks(desk.see(State()), State()))


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([], "No trial has finished yet"),
        ([plain_record(0, failure=Failure("train", "crash", "x"))], "All 1 trials failed: the Search tab"),
        ([plain_record(0, accuracy=0.95)], "has not stated all figures of any design yet. Choose another judge"),
        ([plain_record(0, accuracy=0.95, pruned="accuracy >= 0.99")], "were stopped early. The Search tab"),
    ],
)
def test_each_empty_state_says_what_to_do(tmp_path, records, told):
    """Nothing finished, all failed, nothing judged, all stopped early."""
    desk = Desk([write_run(tmp_path, records).folder])
    seen = desk.see(State())
    assert told in words(cards.headline(seen, State()))
    assert "loosen" not in words(cards.picks(seen, State()))  # no budget is what is in the way
    for look in ({"theme": "light", "webgl": True}, {"theme": "dark", "webgl": False}):
        trail.trail(desk, seen, State(), look)
        painted(plot.front(desk, seen, State()), look)
        detail.detail(seen, State(), look)
    grid.grid(seen, State(), None, 0)


def test_hints_say_what_a_budget_is_of_the_part_and_what_is_wrong_with_it(desk):
    """4,000 LUT of 53,200, and words that are no number."""
    seen = desk.see(State(budgets={"lut": "5320", "dsp": "50 %", "ff": "many"}))
    assert "= 10 % of the part" in words(cards.hint(seen, State(), "lut"))
    assert "= 110 of 220" in words(cards.hint(seen, State(), "dsp"))
    assert "is no number" in words(cards.hint(seen, State(), "ff"))
    assert "found" in words(cards.hint(seen, State(), "latency_ns"))
    assert words(cards.hint(seen, State(), "bram_18k")) == "0 in all designs"


def test_sliders_go_through_the_figures_and_never_lose_the_design_they_stop_at(desk):
    """Rounded to the safe side: a bound taken from a design admits it."""
    seen = desk.see(State())
    for metric, scale in cards.scales(seen, ["lut", "accuracy", "latency_ns", "power_w"]).items():
        values = seen.sight.columns.figure(metric)
        for number in scale["numbers"]:
            near = values[values <= number].max() if scale["most"] else values[values >= number].min()
            assert near == pytest.approx(number, rel=1e-3)
    assert cards.scales(seen, ["power_w"])["power_w"]["numbers"] == []


def test_one_design_tells_everything_with_its_source(tmp_path):
    """Knobs, types per layer, figures with tool and level, the command to repeat, confusion from the store."""
    run, record = stored(tmp_path)
    desk = Desk([run.folder])
    look = {"theme": "light", "webgl": True}
    told = words(detail.detail(desk.see(State(trial=0)), State(trial=0), look))
    for name, value in record.design.knobs.items():
        assert f"{name} {value}" in told
    for piece in ("fixed<", "hls4ml 1.3.0", "estimated", "emulated", "--trials 1 --set", "synthesize files"):
        assert piece in told
    assert "not keep the labels" not in told


def test_without_labels_the_page_says_why_there_is_no_confusion(tmp_path):
    """Runs made before labels were kept."""
    run, _ = stored(tmp_path, labels=False)
    told = words(detail.detail(Desk([run.folder]).see(State(trial=0)), State(trial=0), {"theme": "light"}))
    assert "Not to be had: it was emulated by a dse that did not keep the labels." in told


def test_two_designs_side_by_side_show_what_differs_first(desk, folder):
    """Figures with their difference, knobs that differ marked."""
    run = open_run(folder)
    one, other = (s.record for s in view(run).front[:2])
    state = State(trial=one.trial, other=other.trial)
    told = words(detail.detail(desk.see(state), state, {"theme": "light", "webgl": True}))
    assert f"Trial {one.trial}" in told
    assert f"Trial {other.trial}" in told
    before, now = one.value("lut", JUDGE), other.value("lut", JUDGE)
    assert f"{100 * (now - before) / before:+.3g} %" in told


def test_a_trial_that_there_is_not_is_said(desk):
    """An old link, a typing error."""
    state = State(trial=12345, tab="design")
    assert "Trial 12345 has no record" in words(detail.detail(desk.see(state), state, {}))


def test_runs_with_the_same_judge_are_compared_and_others_are_named(tmp_path):
    """Two sweeps of one study overlaid, one with other objectives left out by name."""
    first, second = build_run(tmp_path / "a", 20), build_run(tmp_path / "b", 20, seed=2, name="wide")
    third = build_run(tmp_path / "c", 20, what=goals((Objective("accuracy"), Objective("ff"))), name="other")
    desk = Desk([first.folder, second.folder, third.folder])
    found, left = desk.beside(State())
    assert [sight.name for sight in found] == ["wide"]
    assert left == ["other"]
    figure = go.Figure(plot.front(desk, desk.see(State()), State()))
    assert any(trace.name == "front of wide" for trace in figure.data)
    again = Desk([first.folder, first.folder, first.folder])
    assert len(again.feeds) == 3


def test_other_judges_figures_are_tied_to_this_judges(desk, folder):
    """Hollow diamonds for the eight designs that Vitis has synthesised; none of them on the front's line."""
    figure = go.Figure(plot.front(desk, desk.see(State()), State()))
    trace = next(found for found in figure.data if found.name and found.name.startswith("by vitis"))
    run = open_run(folder)
    vitis = next(judge for record in run.records for judge in record.judges if judge.synthesizer == "vitis")
    for trial, x in zip(trace.customdata, trace.x, strict=True):
        assert x == run.record(trial).value("lut", vitis)
    assert not any(
        found.get("name", "").startswith("by ") for found in plot.front(desk, desk.see(State()), State(others="no"))["data"]
    )


def count(cells):
    """How many there are in a list, or in an array as plotly packs it."""
    if isinstance(cells, list):
        return len(cells)
    return len(base64.b64decode(cells["bdata"])) // int(cells["dtype"][1:])


@pytest.mark.parametrize("color", ["", "strategy", "weight_bits", "latency_ns", "weight_bits.output"])
@pytest.mark.parametrize("symbol", ["", "io_type", "reuse_factor"])
@pytest.mark.parametrize("z", ["", "dsp"])
def test_every_colour_symbol_and_third_axis_can_be_drawn_in_both_themes(desk, color, symbol, z):
    """All points are there, and every colour has a dark one."""
    state = State(color=color, symbol=symbol, z=z, others="no")
    seen = desk.see(state)
    figure = plot.front(desk, seen, state)
    plain_figure = json.loads(encoded(figure))
    shown = sum(count(trace.get("customdata", [])) for trace in plain_figure["data"] if "(" in trace.get("name", ""))
    assert shown == int(np.isin(seen.sight.states, (0, 1)).sum())
    text = json.dumps(painted(figure, {"theme": "dark", "webgl": True}), default=str)
    light = [value for name, value in LIGHT.items() if value not in DARK.values()]
    assert not any(f'"{value}"' in text for value in light)


def test_roc_is_that_of_brute_force():
    """Every pair of a positive and a negative row: the share in which the positive one scores higher; ties count half."""
    random = np.random.default_rng(0)
    score, positive = random.integers(0, 12, 200).astype(float), random.random(200) < 0.3
    pairs = [(a > b) + (a == b) / 2 for a in score[positive] for b in score[~positive]]
    assert roc(score, positive)[2] == pytest.approx(np.mean(pairs))
    assert roc(score, np.ones(200, dtype=bool)) is None


def test_confusion_counts_rows_by_label_and_by_largest_output():
    """Also where one score tells two classes apart."""
    found = Outcomes("test", "verify", np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]), np.array([0, 1, 1]))
    assert found.confusion.tolist() == [[1, 0], [1, 1]]
    single = Outcomes("test", "verify", np.array([[-1.0], [2.0], [-3.0]]), np.array([0, 1, 1]))
    assert single.confusion.tolist() == [[1, 0], [1, 1]]
    assert single.roc(1)[2] == 0.5


@pytest.mark.parametrize("outputs", [np.zeros((4, 2)), np.zeros(4), np.full((4, 3), np.nan), np.zeros((5, 3))])
def test_outputs_that_are_no_scores_of_classes_are_not_drawn(tmp_path, outputs):
    """Too few classes, one number per row without an axis, NaN, another number of rows."""
    run, record = stored(tmp_path, outputs=outputs)
    found, reason = outcomes(run, record)
    assert found is None
    assert "not scores of classes" in reason


def test_a_studys_own_scores_are_figures_like_any_other(tmp_path):
    """On axes, in cards, table and hints, as budgets in per cent or below 0; what is feasible is as plain arithmetic says."""
    desk = Desk([own_run(tmp_path / "run").folder])
    state = State(budgets={"rejection": "60 %", "bias": "-1"}, color="bias", filter="rejection>=70%", best="rejection")
    seen = desk.see(state)
    assert seen.wrong == {}
    told = words(cards.headline(seen, state))
    kept = [n for n in range(12) if 0.5 + n / 40 >= 0.6 and 2.0 - n / 2 >= -1]
    assert f"{len(kept)} of 12 designs keep all budgets" in told
    assert "bias >= -1 binds: trial" in told
    assert "found" in words(cards.hint(desk.see(State()), State(), "rejection"))
    furnished = str(layout.furnish(desk, state))
    assert "background rejected" in furnished
    assert "'metric': 'bias', 'type': 'field'" in furnished or "'type': 'field', 'metric': 'bias'" in furnished
    assert cards.scales(seen, ["bias"])["bias"]["numbers"][0] == -3.5
    figure = go.Figure(plot.front(desk, seen, state))
    assert figure.layout.title.text == "rejection against lut"
    assert figure.layout.coloraxis.colorbar.title.text == "bias"
    assert words(grid.grid(seen, state, None, 0)).count("0.7") >= 2
    detail.detail(seen, State(trial=3), {})
    trail.trail(desk, seen, state, {})
    assert json.loads(answer(desk, Asked.of({"state": {"budgets": {"bias": "-1"}}}))) != {}


def test_the_address_is_short_until_something_is_chosen(desk):
    """What the study or the page chooses by itself is not in it."""
    own = {"judge": JUDGE.name, "x": "lut", "y": "accuracy", "best": "accuracy"}
    texts = {"accuracy": "0.9", "lut": "53200", "dsp": "100 %", "ff": ""}
    assert plot.query(desk, State(**own, budgets=texts)) == ""
    assert plot.query(desk, State(**own, budgets=texts | {"lut": "40 %"})) == "?budget.lut=40+%25"
    assert plot.query(desk, State(**own, budgets=texts | {"lut": ""})) == "?budget.lut="
    assert len(LIMITS) == 3


def test_another_part_is_said_beside_the_judges(desk):
    """Percentages follow the part, figures stay the judge's."""
    state = State(part="xcu250")
    note = plot.part_note(desk.see(state), state)
    assert "xcu250" in note
    assert PART in note
    assert plot.part_note(desk.see(State()), State()) == ""
