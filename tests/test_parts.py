"""Resources of parts."""

import os
import re
from pathlib import Path

import pytest

from dse.errors import UsageError
from dse.parts import PARTS, Part, part

SHARED = Path(os.environ.get("DSE_SHARED", Path(__file__).parents[2] / "shared"))
#: Names in Vivado and Vitis XML reports -> ours.
TAGS = {"BRAM_18K": "bram_18k", "DSP48E": "dsp", "DSP": "dsp", "FF": "ff", "LUT": "lut", "URAM": "uram"}


def _available():
    """(part, resources) of every csynth XML report."""
    found = set()
    for path in sorted((SHARED / "reports").glob("*/*.xml")):
        text = path.read_text(errors="replace")
        name = re.search(r"<Part>(.*?)</Part>", text)
        block = re.search(r"<AvailableResources>(.*?)</AvailableResources>", text, re.DOTALL)
        if name and block:
            rows = re.findall(r"<(\w+)>(\d+)</", block[1])
            found.add((name[1], tuple((TAGS[tag], int(count)) for tag, count in rows)))
    return sorted(found)


@pytest.mark.skipif(
    not (SHARED / "reports").is_dir(), reason="no genuine reports: set DSE_SHARED to the folder that holds them"
)
def test_resources_equal_those_that_genuine_reports_state():
    """The tools print what the part offers; the table says the same, for every part that a report names."""
    rows = _available()
    assert len(rows) >= 6
    for name, resources in rows:
        assert {metric: part(name).resources[metric] for metric, _ in resources} == dict(resources), name


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("xcvu13p-flga2577-2-e", "xcvu13p"),
        ("xcu250-figd2104-2L-e", "xcu250"),
        ("xc7z020clg400-1", "xc7z020"),
        ("XCU55C-FSVH2892-2L-E", "xcu55c"),
        ("xcu50-fsvh2104-2-e", "xcu50"),
        ("xck26-sfvc784-2LV-c", "xck26"),
        ("xcku115-flvb2104-2-i", "xcku115"),
        ("xcku11p-ffva1156-1-e", "xcku11p"),
        ("xc7z007sclg225-1", "xc7z007s"),
        ("xczu7ev-ffvc1156-2-e", "xczu7ev"),
        ("xczu48dr-ffvg1517-2-e", "xczu48dr"),
    ],
)
def test_a_full_part_string_names_its_device(name, device):
    """Package, speed and temperature grade do not change the resources; neither do capitals or a missing dash."""
    found = part(name)
    assert found.device == device
    assert found.name == name
    assert found.resources == PARTS[device].resources


@pytest.mark.parametrize("name", ["xcnonsense", "", "xcku1155-flvb2104", "xc7z0200", "virtex"])
def test_an_unknown_part_is_refused_with_what_to_do(name):
    """No part's resources are guessed from another's."""
    with pytest.raises(UsageError, match=r"State its resources in the study: Part\("):
        part(name)


def test_a_part_can_be_stated_by_hand_and_nonsense_is_refused():
    """A part of one's own is a value like the others; negative counts and unknown families are named."""
    own = Part("mine", "mine", "7series", dsp=10, lut=100, ff=200, bram_18k=0, uram=0, source="measured")
    assert own.utilisation({"dsp": 5, "lut": 150, "latency_ns": 3.0, "bram_18k": 1}) == {"dsp": 0.5, "lut": 1.5}
    with pytest.raises(UsageError, match="dsp must be 0 or more, got -1"):
        Part("mine", "mine", "7series", dsp=-1, lut=1, ff=1, bram_18k=1, uram=0, source="")
    with pytest.raises(UsageError, match="family must be one of 7series"):
        Part("mine", "mine", "virtex2", dsp=1, lut=1, ff=1, bram_18k=1, uram=0, source="")


def test_no_part_is_in_the_table_twice_and_every_row_names_its_document():
    """Each row stands for one device and says who states it."""
    assert len(PARTS) > 80
    for device, row in PARTS.items():
        assert row.device == device
        assert row.source.startswith("AMD DS")
        assert row.ff == 2 * row.lut
