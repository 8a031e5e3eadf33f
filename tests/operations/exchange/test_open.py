import os
from pathlib import Path

import pytest

from pytest_benchdb.errors import StoreError
from pytest_benchdb.operations.exchange.open import as_sources
from pytest_benchdb.store.history.open import open_history


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs")
def test_fifo_where_a_file_is_named_is_refused_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "results"
    os.mkfifo(path)

    with as_sources([path]) as sources, pytest.raises(StoreError, match="not a regular file"), open_history(sources):
        pass
