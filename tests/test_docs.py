"""The Python of the documentation is run: it cannot rot."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dse import Data, Pretrained, Study
from dse.run import open_run
from dse.workload import split
from tests.resolve import resolved

ROOT = Path(__file__).parents[1]
OWN = ROOT / "docs" / "own.md"
#: ```python, or ```python slow for what trains networks.
BLOCK = re.compile(r"^```python( slow)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def run(*, slow):
    """All names that the page's Python makes, in one namespace, from top to bottom."""
    text, found = OWN.read_text(), {"__name__": "own"}
    for block in BLOCK.finditer(text):
        if slow or not block[1]:
            lines = text.count("\n", 0, block.start()) + 1  # errors name the page's own lines
            exec(compile("\n" * lines + block[2], str(OWN), "exec"), found)
    return found


@pytest.fixture(scope="module")
def page():
    """The page's names, without what trains."""
    return run(slow=False)


def studies(found):
    return {study.name: study for study in found.values() if isinstance(study, Study)}


def test_the_page_makes_a_study_of_each_kind(page):
    """Networks, a model as it is and trees; each has a name of its own."""
    found = studies(page)
    assert len(found) == sum(isinstance(value, Study) for value in page.values()) >= 8
    assert {type(study.workload).__name__ for study in found.values()} == {"Workload", "Pretrained", "Trees"}


def test_the_pages_studies_fit_their_data_and_models(page):
    """Every architecture can be built, the layers have the knobs that are named, the first designs are legal."""
    for study in studies(page).values():
        rows = split(study.workload.data(), study.workload.split_seed)
        if not isinstance(study.workload, Pretrained):  # its file is not there
            resolved(study)
        for score in study.workload.scores:
            assert 0 <= score.function(np.random.default_rng(0).normal(size=(len(rows.test.y), 1)), rows.test.y) <= 1


def test_the_pages_data_file_is_read_as_it_says(page, tmp_path):
    """A csv of features and a column of class names."""
    path = tmp_path / "cellar.csv"
    names = ["barbera", "barolo", "grignolino"] * 10
    pd.DataFrame({"alcohol": np.arange(30.0), "ash": 1.0, "cultivar": names}).to_csv(path, index=False)
    found = page["cellar"](path)
    assert isinstance(found, Data)
    assert found.x.shape == (30, 2)
    assert found.y[:3].tolist() == [2, 0, 1]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_of_the_page_runs(monkeypatch, tmp_path):
    """Two designs are trained, emulated and read back."""
    monkeypatch.chdir(tmp_path)
    found = run(slow=True)
    assert found["swept"].reason == "target reached: 2 designs have a record"
    assert [record.failure for record in found["run"].records] == [None, None]


@pytest.mark.slow
def test_the_readmes_notebook_runs(monkeypatch, tmp_path):
    """As it stands there, in a folder that has the studies; two trials instead of twenty."""
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    monkeypatch.chdir(tmp_path)
    (text,) = (block[2] for block in BLOCK.finditer((ROOT / "README.md").read_text()) if "explore(load(" in block[2])
    assert "trials=20" in text
    found: dict[str, object] = {}
    exec(text.replace("trials=20", "trials=2, quiet=True"), found)
    assert found["swept"].reason == "target reached: 2 designs have a record"
    assert [record.failure for record in open_run("runs/digits").records] == [None, None]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_to_files_of_the_project_lead_somewhere(path):
    """Pictures, pages, studies."""
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text())]
    local = [link for link in links if link and "://" not in link]
    assert [link for link in local if not (path.parent / link).exists()] == []
