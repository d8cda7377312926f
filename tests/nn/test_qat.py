"""Networks that are trained for each design keep the contract of flows."""

import pytest
from flow_contract import FlowContract

from tests.tiny import STUDY


class TestContract(FlowContract):
    """Of the tiny study."""

    @pytest.fixture(scope="class")
    @classmethod
    def study(cls):
        """Six epochs of 72 rows."""
        return STUDY
