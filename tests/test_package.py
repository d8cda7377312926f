"""Packages: a design that can be built, simulated and verified without the sweep, and what is seen when one has changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from build_run import RESOURCES, plain_record, write_run
from simulators import simulator

from dse.cli import main
from dse.errors import UsageError
from dse.goals import Goals, Objective
from dse.metrics import Judge
from dse.network import Network
from dse.nn import convert, emulate
from dse.package import manifest, package, verify
from dse.record import Failure
from dse.run import RECORDS_FILE
from dse.store import Store
from tests.nn.conftest import PART, hardware, mlp

JUDGE = Judge("estimate", "csynth", "law-1", "estimated", PART, 5.0)
GOALS = Goals((Objective("accuracy"), Objective("lut")), (), JUDGE, RESOURCES)
ROWS = np.random.default_rng(3).uniform(-1.2, 1.2, size=(50, 16)).astype(np.float32)


@pytest.fixture(scope="module", name="run")
def swept(tmp_path_factory):
    """A run of two trials: one converted and emulated, one that failed before."""
    root = tmp_path_factory.mktemp("root")
    store = Store(root)
    store.prepare()

    def converted(folder):
        convert.convert(mlp()[0], hardware(), PART, 5.0, folder)
        return {}

    built = store.get("convert", {"trial": 0}, converted)
    network, project = Network.load(built.folder), built.folder / "project"

    def emulated(folder):
        return emulate.emulate(network, project, {"validation": ROWS}, store.folder / "libraries", folder)

    seen = store.get("emulate", {"trial": 0}, emulated)
    entries = {"convert": built.key, "emulate": seen.key}
    records = [
        replace(plain_record(0, judge=JUDGE, accuracy=0.9, lut=1000), entries=entries),
        plain_record(1, judge=JUDGE, failure=Failure("compress", "crash", "the worker died")),
    ]
    return write_run(root / "study", records, what=GOALS, name="study")


@pytest.fixture(scope="module", name="hls")
def hls_package(run, tmp_path_factory):
    return package(run, 0, "hls", tmp_path_factory.mktemp("out") / "hls")


@pytest.fixture(scope="module", name="verilog")
def verilog_package(run, tmp_path_factory):
    pytest.importorskip("alkaid")
    pytest.importorskip("pyosys")
    return package(run, 0, "verilog", tmp_path_factory.mktemp("out") / "verilog", 4.0)


def test_an_hls_package_is_compiled_again_and_gives_the_same_bits(hls, monkeypatch):
    """From the package alone, wherever it is, by a path as people type it."""
    monkeypatch.chdir(hls.parent)
    found = verify(Path("hls"))
    assert found.wrong == ()
    assert "the compiled emulation gives the kept outputs on 1050 rows, bit for bit" in found.checked[-1]


def test_an_hls_package_has_what_the_vendors_tool_needs(hls):
    """The project with its scripts, rows for its test bench, the record and a README that names the figures' sources."""
    for name in ("build_prj.tcl", "project.tcl", "build_opt.tcl", "firmware/myproject.cpp"):
        assert (hls / "project" / name).is_file(), name
    assert list((hls / "project" / "firmware" / "weights").glob("w*.txt"))
    assert len(np.loadtxt(hls / "project" / "tb_data" / "tb_output_predictions.dat")) == 100
    assert json.loads((hls / "record.json").read_text())["trial"] == 0
    assert JUDGE.name in (hls / "README.md").read_text()
    assert not [path for path in hls.rglob("*") if path.is_file() and not path.stat().st_mode & 0o200]
    said = "".join(
        path.read_text(errors="replace") for path in hls.rglob("*") if path.suffix in (".md", ".json", ".tcl", ".yml")
    )
    assert str(hls.parent) not in said


def copied(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "copy"))


def sealed(made):
    """Digests of the files as they are now: what has changed is run."""
    head = {name: value for name, value in manifest.read(made).items() if name not in ("files", "format")}
    (made / manifest.FILE).unlink()
    manifest.write(made, head)


@pytest.fixture(name="dse")
def command_line(capsys):
    """Type `dse`: the exit code and what was printed on either stream, as one line each."""

    def call(*words):
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return left.value.code, " ".join(out.split()), " ".join(err.split())

    return call


def test_a_package_of_hls_is_typed_and_verified(run, dse, tmp_path):
    """What is written and how to check it; then green, and red with the reason where a file is missing."""
    made = tmp_path / "made"
    code, out, err = dse("package", run.folder, "--trial", 0, "--out", made)
    assert (code, err) == (0, "")
    assert f"trial 0 as hls; {made}/README.md says how to build it, `dse verify {made}` checks it." in out
    code, out, err = dse("verify", made)
    assert (code, err) == (0, "")
    assert "bit for bit" in out
    assert out.endswith(f"{made} is as it was made.")
    (made / "vectors" / "inputs.npy").unlink()
    code, out, err = dse("verify", made)
    assert code == 1
    assert "wrong: vectors/inputs.npy is missing" in out
    assert err == f"dse: {made} is not as it was made."


def test_a_package_of_verilog_is_typed_and_says_where_its_figures_are(run, dse, tmp_path):
    """Open synthesis' figures are the package's: the run's records stay as they were; what adds them is named."""
    pytest.importorskip("alkaid")
    pytest.importorskip("pyosys")
    before = (run.folder / RECORDS_FILE).read_bytes()
    made = tmp_path / "made"
    code, out, err = dse("package", run.folder, "--trial", 0, "--as", "verilog", "--latency-cutoff", 4, "--out", made)
    assert (code, err) == (0, "")
    assert "trial 0 as verilog" in out
    assert f"`dse synth {run.folder} --rung open --trial 0 --latency-cutoff 4` adds them there" in out
    assert (run.folder / RECORDS_FILE).read_bytes() == before


def test_wrong_usage_of_packages_is_one_message(run, dse, tmp_path):
    """Exit code 2, what and what to do instead."""
    for words, said in (
        (("package", run.folder, "--trial", 1, "--out", tmp_path / "a"), "trial 1 cannot be packed: it failed in compress"),
        (("package", run.folder, "--trial", 0, "--as", "vhdl", "--out", tmp_path / "a"), "'vhdl' is not one of"),
        (("verify", tmp_path), "is no package: it has no manifest.json"),
    ):
        code, out, err = dse(*words)
        assert (code, out) == (2, "")
        assert said in err


def test_code_that_does_not_compile_is_said_not_to(hls, dse, tmp_path):
    """With the compiler's words; it is no statement on the outputs."""
    made = copied(hls, tmp_path)
    source = made / "project" / "firmware" / "myproject.cpp"
    source.write_text(source.read_text() + "\nthis is no C++\n")
    sealed(made)
    code, out, _ = dse("verify", made)
    assert code == 1
    assert "wrong: the project's emulation was not compiled, which says nothing of its outputs" in out
    assert "this is no C++" in out


def test_verilog_that_does_not_compile_is_said_not_to(verilog, dse, tmp_path):
    """Another failure than other outputs, which are a mismatch."""
    simulator("iverilog")
    made = copied(verilog, tmp_path)
    source = made / "rtl" / "network.v"
    source.write_text(source.read_text() + "\nthis is no Verilog\n")
    sealed(made)
    code, out, _ = dse("verify", made)
    assert code == 1
    assert "wrong: iverilog did not simulate the Verilog, which says nothing of its outputs (exit code 3)" in out
    assert "syntax error" in out


def test_a_wrong_vector_of_a_simulation_is_a_mismatch(verilog, dse, tmp_path):
    """With the row and both values."""
    simulator("iverilog")
    made = copied(verilog, tmp_path)
    path = made / "sim" / "outputs.hex"
    lines = path.read_text().splitlines()
    lines[7] = f"{int(lines[7], 16) ^ 1:0{len(lines[7])}x}"
    path.write_text("\n".join(lines) + "\n")
    sealed(made)
    code, out, _ = dse("verify", made)
    assert code == 1
    assert "wrong: the simulation with iverilog does not give the kept outputs" in out
    assert "row 7: " in out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: (p / "project" / "firmware" / "defines.h").write_text("x"), "project/firmware/defines.h has changed"),
        (lambda p: (p / "record.json").unlink(), "record.json is missing"),
        (lambda p: (p / "more.txt").write_text("x"), "more.txt was added"),
    ],
)
def test_what_has_changed_is_named_and_not_run(hls, tmp_path, change, said):
    """A file that is not as it was made could do anything."""
    made = copied(hls, tmp_path)
    change(made)
    found = verify(made)
    assert found.wrong == (said,)
    assert len(found.checked) == 1


def test_other_outputs_are_a_mismatch_even_with_right_digests(hls, tmp_path):
    """The digests say that nothing was changed, the compiler says whether it computes this."""
    made = copied(hls, tmp_path)
    outputs = np.load(made / "vectors" / "outputs.npy", allow_pickle=False)
    outputs[3, 0] += 0.25
    np.save(made / "vectors" / "outputs.npy", outputs, allow_pickle=False)
    sealed(made)
    assert "gives other outputs than were kept on 1 of 1050 rows; row 3" in verify(made).wrong[0]


def test_a_verilog_package_runs_green_by_its_own_script(verilog):
    """Icarus Verilog on the scored and the provoking rows; the README says the latency that the bench proves."""
    simulator("iverilog")
    found = verify(verilog)
    assert found.wrong == ()
    assert "the adder graph gives the kept outputs on 1050 rows, bit for bit" in found.checked
    assert "iverilog: PASS: 1050 rows equal the emulation" in found.checked
    bench = (verilog / "sim" / "bench.v").read_text()
    cycles = bench.split("LATENCY = ")[1].split(";")[0]
    assert f"follow {cycles} cycles after their inputs" in (verilog / "README.md").read_text()


def test_a_verilog_package_has_constraints_ports_and_figures(verilog):
    """The clock of the study, how the ports' bits are laid out, and figures of both open judges with their cut."""
    assert "create_clock -name clk -period 5 [get_ports clk]" in (verilog / "rtl" / "network.xdc").read_text()
    ports = json.loads((verilog / "rtl" / "ports.json").read_text())
    assert (len(ports["inputs"]), len(ports["outputs"])) == (16, 4)
    text = (verilog / "README.md").read_text()
    assert "open: yosys" in text
    assert "cut at 4" in text
    levels = [m["source"]["level"] for m in json.loads((verilog / "record.json").read_text())["measurements"]]
    assert levels[-2:] == ["estimated", "netlist"]


def test_what_cannot_be_packed_is_refused_with_the_reason(run, tmp_path, hls):
    """A design without an emulation, a place that is taken, an unknown kind; nothing is left behind."""
    with pytest.raises(UsageError, match="trial 1 cannot be packed: it failed in compress"):
        package(run, 1, "hls", tmp_path / "a")
    with pytest.raises(UsageError, match="is not an empty folder"):
        package(run, 0, "hls", hls)
    with pytest.raises(UsageError, match="one of hls, verilog, got 'vhdl'"):
        package(run, 0, "vhdl", tmp_path / "a")
    with pytest.raises(UsageError, match=r"is no package: it has no manifest\.json"):
        verify(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd"])
def test_a_manifest_that_points_elsewhere_is_refused(hls, tmp_path, name):
    """Nothing outside the package is read."""
    made = copied(hls, tmp_path)
    found = json.loads((made / manifest.FILE).read_text())
    found["files"][name] = "0" * 64
    (made / manifest.FILE).write_text(json.dumps(found))
    with pytest.raises(Exception, match="its list of files is damaged"):
        verify(made)
