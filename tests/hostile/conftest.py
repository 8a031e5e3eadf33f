"""The number of cases that tests here try: few in every run, more with ``-m long``, all with ``--hostile-full``."""

import pytest
from tests.hostile.counts import Counts


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    """Return the number of cases of a test that `counts.counted` decorates."""
    counts: Counts = request.param
    return counts.full if request.config.getoption("hostile_full") else counts.usual
