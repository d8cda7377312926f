"""Records as files: nothing is lost, nothing made up, judges stay apart."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace

import pandas as pd
import pytest
from build_run import EMULATION, JUDGE, SYNTHESIS, VITIS, build_run, goals, plain_record, write_run

from dse import export
from dse.design import KNOBS
from dse.errors import DseError, StoreError
from dse.goals import Objective
from dse.record import Failure
from dse.view import view


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "digits")


def read_csv(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_every_record_has_one_row_in_order_of_trials(run):
    """Failed, pruned and infeasible designs are rows as well: nothing vanishes."""
    table = export.table(view(run))
    assert table["trial"].tolist() == sorted(record.trial for record in run.records)
    assert set(table["state"]) == {"measured", "infeasible", "pruned", "failed"}


def test_every_figure_of_every_record_is_in_the_table(run):
    """Cell by cell against the records: what was stated stands there, and what was not is a missing cell."""
    table = export.table(view(run)).set_index("trial")
    for record in run.records:
        for name in (*export.ALWAYS, "accuracy_float"):
            value = record.value(name, JUDGE)
            cell = table.loc[record.trial, name]
            assert cell is pd.NA if value is None else cell == value, (record.trial, name)


def test_feasible_and_front_marks_agree_with_the_view(run):
    """A row says itself how it stands, so that nobody has to compute the front again."""
    seen = view(run)
    table = export.table(seen).set_index("trial")
    for standing in seen.standings:
        row = table.loc[standing.record.trial]
        assert (row["state"], row["feasible"], row["on_front"]) == (standing.state, standing.feasible, standing.on_front)


def test_every_knob_and_effective_knob_has_a_column(run):
    """Per-layer knobs too; a design that does not set one has an empty cell."""
    table = export.table(view(run)).set_index("trial")
    for record in run.records:
        for name, value in record.design.knobs.items():
            assert table.loc[record.trial, f"knob.{name}"] == value
        for name, value in record.effective.items():
            assert table.loc[record.trial, f"effective.{name}"] == value
        assert ("weight_bits.output" in record.design.knobs) == (
            table.loc[record.trial, "knob.weight_bits.output"] is not pd.NA
        )


def test_every_figure_names_its_source_and_judge(run):
    """Provenance beside each figure: judge, tool, version, level and the store's key; emulated figures have no judge."""
    row = next(row for row in read_csv(export.as_csv(view(run))) if row["dsp"])
    assert [row[f"dsp.{part}"] for part in ("judge", "tool", "version", "level", "key", "grade")] == [
        JUDGE.name,
        SYNTHESIS.tool,
        SYNTHESIS.version,
        SYNTHESIS.level,
        SYNTHESIS.key,
        "law",
    ]
    assert [row[f"accuracy.{part}"] for part in ("judge", "tool", "version", "level")] == [
        "",
        EMULATION.tool,
        EMULATION.version,
        EMULATION.level,
    ]


def test_intervals_have_two_columns_and_only_where_they_are_stated(run):
    """The bounds of an estimate stand beside it; a figure without bounds gets no empty columns."""
    table = export.table(view(run))
    measured = table[table["lut"].notna()]
    assert (measured["lut.low"] < measured["lut"]).all()
    assert (measured["lut.high"] > measured["lut"]).all()
    assert "dsp.low" not in table.columns


def test_another_judge_has_its_own_figures_and_the_studys_become_annotations(run):
    """Never two judges in one column: `lut` is of the chosen one, the others' columns name them."""
    table = export.table(view(run, "vitis")).set_index("trial")
    for record in run.records:
        row = table.loc[record.trial]
        for cell, judge in ((row["lut"], VITIS), (row[f"lut of {JUDGE.name}"], JUDGE)):
            stated = record.value("lut", judge) if judge in record.judges else None
            assert cell is pd.NA if stated is None else cell == stated
    assert set(table["lut.judge"].dropna()) == {VITIS.name}


def test_a_zero_is_a_figure_and_a_missing_figure_is_an_empty_cell(tmp_path):
    """0 DSP is the best there is; no DSP figure is no zero, in any format."""
    records = [plain_record(0, accuracy=0.9, dsp=0), plain_record(1, accuracy=0.9)]
    seen = view(write_run(tmp_path, records))
    assert [row["dsp"] for row in read_csv(export.as_csv(seen))] == ["0", ""]
    assert [row["figures"].get("dsp", {}).get("value") for row in json.loads(export.as_json(seen))] == [0, None]
    assert pd.read_parquet(io.BytesIO(export.as_parquet(seen)))["dsp"].tolist() == [0, pd.NA]


def test_no_format_contains_nan(run):
    """Empty cells and absent keys, never a NaN that some program would add up."""
    seen = view(run)
    assert "nan" not in export.as_csv(seen).decode().lower()
    assert "NaN" not in export.as_json(seen).decode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\uff1d"])
def test_text_never_becomes_a_formula_of_a_spreadsheet(tmp_path, start):
    """A model or a tool that names things oddly must not run commands where somebody opens the table."""
    hostile = f'{start}HYPERLINK("http://example.com")'
    failure = Failure("train", "tool", hostile)
    record = replace(plain_record(0, knobs={"architecture.kind": hostile}), effective={"name": hostile}, failure=failure)
    row = read_csv(export.as_csv(view(write_run(tmp_path, [record]))))[0]
    for name in ("knob.architecture.kind", "effective.name", "failure.message"):
        assert row[name] == f"'{hostile}"
    assert json.loads(export.as_json(view(write_run(tmp_path / "j", [record]))))[0]["failure"]["message"] == hostile


def test_negative_numbers_stay_numbers(tmp_path):
    """Only texts are guarded: a negative slack can be added up."""
    row = read_csv(export.as_csv(view(write_run(tmp_path, [plain_record(0, wns_ns=-0.25)]))))[0]
    assert row["wns_ns"] == "-0.25"


def test_counts_are_written_without_decimals(run):
    """12 DSP blocks, not 12.0."""
    table = export.table(view(run))
    assert {str(table[name].dtype) for name in ("dsp", "lut", "latency_cycles", "accuracy_n")} == {"Int64"}
    assert str(table["latency_ns"].dtype) == "Float64"


def test_parquet_holds_the_same_table(run):
    """The same columns, kinds and cells as the table."""
    seen = view(run)
    found = pd.read_parquet(io.BytesIO(export.as_parquet(seen)))
    pd.testing.assert_frame_equal(found, export.table(seen), check_dtype=False)


def test_a_knob_of_mixed_kinds_does_not_break_parquet(tmp_path):
    """A choice between a number and a word becomes text, because a Parquet column has one kind."""
    records = [plain_record(n, knobs={"architecture.pool": value}) for n, value in enumerate((2, "none", True))]
    found = pd.read_parquet(io.BytesIO(export.as_parquet(view(write_run(tmp_path, records)))))
    assert found["knob.architecture.pool"].tolist() == ["2", "none", "True"]


def test_without_pyarrow_the_message_names_the_extra(run, monkeypatch):
    """What to do, not a traceback of pandas."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DseError, match=r'pip install "dse\[parquet\]"'):
        export.as_parquet(view(run))


def test_json_nests_provenance_and_keeps_the_other_judges_apart(run):
    """Each figure carries its unit, source and judge; other judges stand under `others`."""
    rows = json.loads(export.as_json(view(run)))
    assert len(rows) == len(run.records)
    record = next(record for record in run.records if VITIS in record.judges)
    row = rows[[r["trial"] for r in rows].index(record.trial)]
    assert row["figures"]["lut"]["value"] == record.value("lut", JUDGE)
    assert row["figures"]["lut"]["source"] == {
        "stage": "synthesize",
        "tool": "estimate",
        "version": "law-1",
        "level": "estimated",
        "key": SYNTHESIS.key,
    }
    assert (row["figures"]["lut"]["unit"], row["figures"]["lut"]["judge"]) == ("LUT", JUDGE.name)
    assert [other["judge"]["name"] for other in row["others"]] == [VITIS.name]
    assert row["others"][0]["figures"]["lut"]["value"] == record.value("lut", VITIS)


def test_a_failure_is_written_with_stage_kind_and_message(run):
    """Why a design has no figures is as much a result as the figures are."""
    failed = next(record for record in run.records if record.failure)
    row = next(row for row in read_csv(export.as_csv(view(run))) if row["trial"] == str(failed.trial))
    assert (row["failure.stage"], row["failure.kind"], row["failure.message"]) == (
        failed.failure.stage,
        failed.failure.kind,
        failed.failure.message,
    )


def test_an_empty_run_gives_a_table_with_the_columns_that_are_always_there(tmp_path):
    """A program that reads the table while the first trial is running finds what it expects, and no rows."""
    seen = view(write_run(tmp_path, []))
    assert read_csv(export.as_csv(seen)) == []
    assert set(export.ALWAYS) <= set(export.table(seen).columns)
    assert json.loads(export.as_json(seen)) == []
    assert len(pd.read_parquet(io.BytesIO(export.as_parquet(seen)))) == 0


@pytest.mark.parametrize("write", [export.as_csv, export.as_json, export.as_parquet])
def test_a_number_that_is_none_is_refused(tmp_path, write):
    """Infinity in a damaged record is an error that names the trial and the cell, not a figure."""
    run = write_run(tmp_path, [plain_record(7, accuracy=0.9)], what=goals((Objective("accuracy"),), ()))
    damaged = replace(run, records=(replace(run.records[0], seconds={"train": float("inf")}),))
    with pytest.raises(StoreError, match=r"trial 7: seconds\.train is inf"):
        write(view(damaged))


def test_every_knob_has_its_place():
    """Knobs of any kind of workload can be listed."""
    layers = [f"{knob}.fc1" for knob in KNOBS]
    assert min([*layers, *KNOBS, "architecture.width"], key=export.knob_order) == "architecture.width"
