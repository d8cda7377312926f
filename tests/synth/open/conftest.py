"""Open synthesis needs the extra: without it these tests say so and are left out."""

import pytest

pytest.importorskip("alkaid", reason='the extra dse[open] is not installed: pip install "dse[open]"')
pytest.importorskip("pyosys", reason='the extra dse[open] is not installed: pip install "dse[open]"')
