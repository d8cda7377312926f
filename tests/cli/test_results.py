"""`dse front`, `dse status`, `dse show` and `dse export` as they are typed."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html import unescape

import pytest
from build_run import JUDGE, VITIS, build_run, goals, plain_record, write_run
from PIL import Image
from rich.console import Console

from dse.cli import main
from dse.cli.results import show_front, write_page
from dse.cli.terminal import Sheet
from dse.errors import DseError
from dse.goals import Limit, Objective
from dse.record import Failure
from dse.run import RECORDS_FILE
from dse.view import view


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture
def dse(capsys):
    """Type a command: its exit code and what it printed on either stream."""

    def call(*words):
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return call


def test_front_lists_the_front_in_order_under_its_judge(run, dse):
    """Every design of the front once, the best first, in whole lines whatever the width of a pipe."""
    code, out, err = dse("front", run.folder)
    assert (code, err) == (0, "")
    assert JUDGE.name in out
    trials = [int(line.split()[0]) for line in out.splitlines() if re.match(r"\s+\d+\s+0\.", line)]
    assert trials == [s.record.trial for s in view(run).front]


def test_front_of_another_judge(run, dse):
    """Its name, its trials and its figures."""
    code, out, _ = dse("front", run.folder, "--judge", "vitis")
    assert code == 0
    assert VITIS.name in out
    best = view(run, "vitis").front[0].record
    assert f"{best.value('lut', VITIS):,.0f}" in out


def test_front_as_json_has_figures_and_provenance(run, dse):
    """The same designs for programs, with the knee named."""
    _, out, _ = dse("front", run.folder, "--json")
    found = json.loads(out)
    assert [row["trial"] for row in found["front"]] == [s.record.trial for s in view(run).front]
    assert found["knee"] == view(run).knee.record.trial
    assert found["front"][0]["figures"]["lut"]["judge"] == JUDGE.name


def test_status_says_counts_best_failures_times_and_disk(run, dse):
    """One screen: how far, how good, what went wrong, where the time and the disk went."""
    store = run.folder.parent / "store" / "train"
    store.mkdir(parents=True, exist_ok=True)
    (store / "weights").write_bytes(b"x" * 5_000_000)
    code, out, _ = dse("status", run.folder)
    counts = view(run).counts
    assert code == 0
    assert f"{counts['measured']} feasible, {counts['infeasible']} over a limit, {counts['pruned']} stopped early" in out
    assert "begun and not finished: trial" in out
    assert "60" in out[out.index("begun and not finished") :].splitlines()[0]
    assert "the first at 2026-05-04T11:00:00" in out
    for standing in view(run).standings:
        if standing.record.failure is not None:
            assert standing.record.failure.message in out
    for stage in ("train", "compress", "convert", "emulate", "synthesize"):
        assert re.search(rf"^{stage}\b.*\d (s|min|h)\b", out, re.MULTILINE)
    assert re.search(r"store: 5\.\d MB", out)


def test_status_as_json_measures_the_store(run, dse):
    """Bytes for programs; null where there is no store."""
    _, out, _ = dse("status", run.folder, "--json")
    assert json.loads(out)["finished"] == 60


def test_status_without_a_store(tmp_path, dse):
    """A folder that was copied without its store is still a sweep's folder."""
    write_run(tmp_path / "alone", [])
    _, out, _ = dse("status", tmp_path / "alone", "--json")
    assert json.loads(out)["store"] is None


def test_show_tells_knobs_effective_knobs_and_every_figure_with_its_source(run, dse):
    """Asked, built, figures of all stages and judges with tool, version and level, and what they leave out."""
    record = next(r for r in run.records if VITIS in r.judges)
    code, out, _ = dse("show", run.folder, record.trial)
    assert code == 0
    for name, value in record.design.knobs.items():
        assert re.search(rf"^{re.escape(name)}\s+{re.escape(str(value))}\s*$", out, re.MULTILINE)
    for layer in ("fc1", "fc2", "output"):
        assert re.search(rf"^{layer}\s+{record.effective[f'reuse_factor.{layer}']}\s+fixed<", out, re.MULTILINE)
    assert re.search(rf"^accuracy\s+{record.value('accuracy'):.4f}\s+fraction\s+hls4ml 1\.3\.0\s+emulated", out, re.MULTILINE)
    low, high = record.measurement("lut", JUDGE).intervals["lut"]
    bounds = f"{low:,.0f} to {high:,.0f}"
    assert re.search(rf"^lut\s+\S+\s+LUT\s+{bounds}\s+law\s+estimate law-1\s+estimated\s+estimate", out, re.MULTILINE)
    assert JUDGE.name in out
    stated = record.measurement("lut", JUDGE).layers
    names = next(line for line in out.splitlines() if line.startswith("figures per layer")).split()[3:]
    for layer in stated:
        cells = re.search(rf"^{layer}\s+([\d,. ]+)$", out, re.MULTILINE)[1].split()
        assert [float(cell.replace(",", "")) for cell in cells] == [stated[layer][name] for name in names]
    theirs = out[out.index(f"by another judge, {VITIS.name}") :]
    assert re.search(rf"^lut\s+{record.value('lut', VITIS):,.0f}\s+LUT\s+Vitis HLS 2023\.2\s+hls", theirs, re.MULTILINE)
    assert "Figures exclude softmax: the network ends in logits." in out


def test_show_names_the_files_that_are_there(tmp_path, dse):
    """The store's folder of each stage, or that it is not there."""
    run = build_run(tmp_path / "digits", trials=2)
    key = run.records[0].entries["convert"]
    folder = tmp_path / "store" / "convert" / key[:2] / key
    folder.mkdir(parents=True)
    _, out, _ = dse("show", run.folder, 0)
    assert re.search(rf"^convert\s+{re.escape(str(folder))}\s*$", out, re.MULTILINE)
    assert re.search(r"^train\s+not there", out, re.MULTILINE)


def test_show_prints_message_and_log_of_a_failure(tmp_path, dse):
    """The log is read where the record names a file of the root, and printed as it is where the record holds its end."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "3.log").write_text("".join(f"line {n}\n" for n in range(100)))
    failures = [Failure("synthesize", "tool", "it broke", "logs/3.log"), Failure("emulate", "crash", "signal 11", "a\nb\n")]
    write_run(tmp_path / "run", [plain_record(n, failure=failure) for n, failure in enumerate(failures)])
    _, first, _ = dse("show", tmp_path / "run", 0)
    assert "failed in synthesize (tool): it broke" in first
    assert f"log: {tmp_path / 'logs' / '3.log'}" in first
    assert "line 99" in first
    assert "line 3\n" not in first
    _, second, _ = dse("show", tmp_path / "run", 1)
    assert "  a\n  b\n" in second


@pytest.mark.parametrize("log", ["../secret.txt", "/etc/hostname", "logs/../../secret.txt"])
def test_show_reads_no_file_outside_the_root(tmp_path, dse, log):
    """A record that was tampered with does not make `dse show` print other people's files."""
    (tmp_path / "secret.txt").write_text("the secret")
    write_run(tmp_path / "root" / "run", [plain_record(0, failure=Failure("emulate", "crash", "m", log))])
    _, out, _ = dse("show", tmp_path / "root" / "run", 0)
    assert "the secret" not in out
    assert "log: /" not in out


def test_show_as_json_has_everything(run, dse):
    """Figures, layers, others, files and the note, for programs."""
    record = next(r for r in run.records if VITIS in r.judges)
    found = json.loads(dse("show", run.folder, record.trial, "--json")[1])
    assert found["knobs"] == record.design.knobs
    assert found["layers"][0]["layers"]["fc1"] == dict(record.measurement("lut", JUDGE).layers["fc1"])
    assert found["others"][0]["judge"]["name"] == VITIS.name
    assert "softmax" in found["note"]


def test_export_writes_every_format(run, dse, tmp_path):
    """Each file is what its ending says; the line printed says where it is and whose figures it holds."""
    for form, check in {
        "csv": lambda path: len(list(csv.DictReader(io.StringIO(path.read_text())))) == 60,
        "json": lambda path: len(json.loads(path.read_text())) == 60,
        "parquet": lambda path: path.read_bytes()[:4] == b"PAR1",
        "html": lambda path: path.read_text().startswith("<!doctype html>"),
        "png": lambda path: Image.open(path).format == "PNG",
        "svg": lambda path: "<svg" in path.read_text(),
    }.items():
        path = tmp_path / f"out.{form}"
        code, out, _ = dse("export", run.folder, "--out", path)
        assert code == 0
        covered = f"44 of 60 designs have figures of {JUDGE.name}.\nAnother judge: 8 of 60 have figures of {VITIS.name}.\n"
        assert out == f"{path}: 60 trials, judged by {JUDGE.name}\n{covered}"
        assert check(path), form


def test_export_writes_beside_the_records_where_no_place_is_given(tmp_path, dse):
    """results.csv by default; another judge's file has another name, so that neither replaces the other."""
    run = build_run(tmp_path / "digits")
    assert dse("export", run.folder)[1].startswith(f"{run.folder / 'results.csv'}:")
    dse("export", run.folder, "--judge", "vitis")
    luts = {}
    for name in ("results", "results-vitis-2023.2-hls"):
        rows = csv.DictReader(io.StringIO((run.folder / f"{name}.csv").read_text()))
        luts[name] = {row["lut.judge"] for row in rows if row["lut"]}
    assert luts == {"results": {JUDGE.name}, "results-vitis-2023.2-hls": {VITIS.name}}


def test_a_format_may_differ_from_the_ending(run, dse, tmp_path):
    """--format wins."""
    dse("export", run.folder, "--format", "json", "--out", tmp_path / "table.txt")
    assert len(json.loads((tmp_path / "table.txt").read_text())) == 60


def test_axes_of_a_picture_can_be_chosen(run, dse, tmp_path):
    """Any two figures, or all objectives in pairs."""
    choices = {"lut,accuracy": "accuracy against lut", "all": "All objectives in pairs", "": "accuracy against dsp"}
    for axes, words in choices.items():
        dse("export", run.folder, "--out", tmp_path / "x.svg", *(["--axes", axes] if axes else []))
        assert f"<!-- {words} -->" in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ("hypervolume", ("Hypervolume over trials", "finished trials")),
        ("time", ("Hypervolume over time", "time since the first record [s]")),
        ("importance", ("What matters for what", "reuse_factor", "latency_ns")),
        ("slices", ("accuracy along each knob", "io_stream", "sparsity")),
        ("stages", ("Time per stage", "synthesize")),
        ("failures", ("Failures by kind", "mismatch", "the machine")),
        ("layers", ("Figures per layer, trial 11", "fc1", "share of the layers' sum [%]")),
        ("bits", ("Bits per layer, trial 11", "fc1 weight", "value of a bit", "2⁰")),
        ("coordinates", ("All knobs and objectives", "reuse_factor", "latency_ns ↓", "resource")),
    ],
)
def test_every_picture_of_the_page_can_be_put_on_paper(run, dse, tmp_path, picture, words):
    """As SVG with its words, as PNG with ink."""
    for form in ("svg", "png"):
        dse("export", run.folder, "--picture", picture, "--out", tmp_path / f"x.{form}")
    text = unescape((tmp_path / "x.svg").read_text())
    for word in words:
        assert f"<!-- {word}" in text
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_slices_and_layers_are_of_ones_own_choice(run, dse, tmp_path):
    """Another figure, another design."""
    dse("export", run.folder, "--picture", "slices", "--axes", "lut", "--out", tmp_path / "x.svg")
    assert "<!-- lut along each knob" in (tmp_path / "x.svg").read_text()
    for picture, words in {"layers": "Figures per layer, trial 3", "bits": "Bits per layer, trial 3"}.items():
        dse("export", run.folder, "--picture", picture, "--trial", "3", "--out", tmp_path / "x.svg")
        assert f"<!-- {words}" in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "{}", "--picture", "stages"), "--picture is for png and svg"),
        (("export", "{}", "--format", "png", "--trial", "3"), "--trial goes with the pictures layers and bits"),
        (("export", "{}", "--format", "png", "--picture", "stages", "--axes", "lut"), "--axes goes with the pictures"),
        (("export", "{}", "--format", "png", "--picture", "layers", "--trial", "999"), "no record of trial 999"),
        (("front", "{}", "--judge", "vivado"), "none of the judges of this run"),
        (("front", "{}", "--judge", "xc7z020"), "fits several judges"),
        (("front", "{}", "--judge", "xc7z020"), 'several parts of it with commas between, such as "open, cut at 5"'),
        (("export", "{}", "--judge", "vivado"), VITIS.name),
        (("show", "{}", "999"), "no record of trial 999"),
        (("export", "{}", "--out", "x.doc"), "the ending must be one of .csv, .json, .parquet, .html, .png, .svg"),
        (("export", "{}", "--format", "doc"), "'doc' is not one of"),
        (("export", "{}", "--axes", "lut,dsp"), "--axes is for png and svg"),
        (("export", "{}", "--format", "png", "--axes", "lut"), "--axes wants two figures"),
        (("export", "{}", "--format", "png", "--axes", "lut,luts"), "metric must be one of"),
        (("front", "{}/nowhere"), "is not the folder of a sweep"),
        (("status", "{}/nowhere"), "is not the folder of a sweep"),
        (("show", "{}/nowhere", "0"), "is not the folder of a sweep"),
        (("export", "{}/nowhere"), "is not the folder of a sweep"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(run, dse, words, said):
    """What, where and what to do; no traceback, nothing on standard output."""
    code, out, err = dse(*(word.format(run.folder) for word in words))
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("verb", ["front", "status", "export"])
def test_damaged_records_are_one_message_and_exit_code_1(tmp_path, dse, verb):
    """File, line and what to do."""
    run = build_run(tmp_path / "digits", trials=4)
    path = run.folder / RECORDS_FILE
    path.write_text("not json\n" + path.read_text())
    code, _, err = dse(verb, run.folder)
    assert code == 1
    assert "records.jsonl: line 1 is damaged" in err
    assert "Traceback" not in err


def test_a_place_that_cannot_be_written_is_exit_code_1(run, dse, tmp_path):
    """The path, the reason, and --out."""
    code, _, err = dse("export", run.folder, "--out", tmp_path / "no" / "x.csv")
    assert code == 1
    assert "No such file or directory" in err


SITUATIONS = {
    "empty": ([], None, "No trial has finished yet."),
    "failed": ([plain_record(n, failure=Failure("train", "crash", "boom")) for n in range(3)], None, "All 3 trials failed"),
    "infeasible": (
        [plain_record(0, accuracy=0.9, dsp=1, lut=1120, latency_ns=5)],
        goals(limits=(Limit("lut", at_most=1000),)),
        "violates lut <= 1000 by 12 %",
    ),
    "unjudged": ([plain_record(0, accuracy=0.9)], None, "has not stated all figures"),
    "one objective": (
        [plain_record(n, accuracy=0.9 - n / 10) for n in range(3)],
        goals((Objective("accuracy"),), ()),
        "1 of 3 feasible designs on the front",
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_verb_works_in_every_situation(tmp_path, dse, situation):
    """Empty, all failed, nothing feasible, not judged, a single objective: said in words, no NaN, no traceback."""
    records, what, words = SITUATIONS[situation]
    folder = write_run(tmp_path / "run", records, what=what).folder
    for verb in ("front", "status"):
        code, out, err = dse(verb, folder)
        assert (code, err) == (0, "")
        assert words in out
        code, out, _ = dse(verb, folder, "--json")
        assert words in json.loads(out)["headline"]
    for form in ("csv", "json", "parquet", "html", "png", "svg"):
        code, out, err = dse("export", folder, "--format", form)
        assert (code, err) == (0, ""), form
    for record in records:
        assert dse("show", folder, record.trial)[0] == 0
    assert "nan" not in (folder / "results.csv").read_text().lower()
    assert "NaN" not in (folder / "results.json").read_text()


def test_texts_of_records_are_no_markup_and_no_control_sequences(tmp_path, dse):
    """A terminal shows what a record says and does nothing of what it says."""
    hostile = "[bold red]x[/] \x1b]0;title\x07 \x1b[2J"
    record = plain_record(0, knobs={"architecture.kind": hostile}, failure=Failure("emulate", "tool", hostile, hostile))
    folder = write_run(tmp_path / "run", [replace(record, effective={"name": hostile})], name=hostile).folder
    for words in (("front", folder), ("status", folder), ("show", folder, 0)):
        _, out, _ = dse(*words)
        assert "[bold red]x[/] \\x1b]0;title\\x07" in out
        assert "\x1b" not in out
        assert "\x07" not in out


def test_help_teaches_by_example(dse):
    """Each verb's help says what it is for and shows commands to copy."""
    for verb in ("front", "status", "show", "export"):
        code, out, _ = dse(verb, "--help")
        assert code == 0
        assert f"dse {verb} runs/digits" in out


def wide(width):
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_figures_are_never_broken_in_a_terminal(run, width):
    """On a narrow terminal headings break first, then knobs share a column; a figure stays in one piece."""
    console = wide(width)
    show_front(run, console)
    lines = console.file.getvalue().splitlines()
    words = next(n for n, line in enumerate(lines) if line.startswith("The same in all"))
    assert max(len(line.rstrip()) for line in lines[4:words]) <= width
    for standing in view(run).front:
        row = next(line for line in lines if line.split()[:1] == [str(standing.record.trial)])
        assert f"{standing.record.value('lut', JUDGE):,.0f}" in row.split()
        assert f"{standing.record.value('accuracy'):.4f}" in row.split()


def test_the_knee_stands_out_in_a_terminal(run):
    """One row in another style."""
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system="standard")
    show_front(run, console)
    marked = [line for line in console.file.getvalue().splitlines() if "\x1b[1;33m" in line]
    assert len(marked) == 1
    assert f" {view(run).knee.record.trial}" in re.sub(r"\x1b\[[\d;]*m", "", marked[0])


def test_a_pipe_gets_whole_lines():
    """What is not a terminal has no width to respect: no cell is broken, whatever $COLUMNS says."""
    console = Console(file=io.StringIO(), width=20)
    Sheet(["name"], [["a rather long text of more than twenty characters"]]).show(console)
    assert "a rather long text of more than twenty characters" in console.file.getvalue()


def test_the_page_of_a_run_can_be_written_by_others(run, tmp_path):
    """`dse run` writes the same page at its end; a place that cannot be written is an error that says so."""
    write_page(run, tmp_path / "index.html")
    assert (tmp_path / "index.html").read_text().startswith("<!doctype html>")
    with pytest.raises(DseError, match="cannot be written"):
        write_page(run, tmp_path / "no" / "index.html")
