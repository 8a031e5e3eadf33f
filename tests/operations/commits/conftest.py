from pathlib import Path

import pytest
from tests.checkout import Checkout
from tests.past import new_shop


@pytest.fixture
def shop(tmp_path: Path) -> Checkout:
    return new_shop(tmp_path)
