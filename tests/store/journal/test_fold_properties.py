import os
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store import journals as j

from pytest_benchdb.store.journal.fold import fold

_ROUNDS = st.lists(st.integers(0, 2**62), min_size=1, max_size=40)
_SESSION = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.tuples(_ROUNDS, st.integers(1, 1000)), max_size=4
)


@given(_SESSION)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fold_keeps_names_and_rounds(session: dict[str, tuple[list[int], int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = [j.run_lines(name, ns, iterations=count) for name, (ns, count) in session.items()]
        path = fold(str(j.write_journal(Path(folder), *runs)), cache=_cache()).path

        with duckdb.connect(str(path), read_only=True) as connection:
            rows = connection.execute(
                "SELECT name, round_ns, iterations, samples FROM run JOIN benchmark USING (benchmark_id) "
                "JOIN measurement USING (run_id) JOIN round_chunk USING (measurement_id) "
                "JOIN samples USING (measurement_id)"
            ).fetchall()

    assert {name: (ns, count) for name, ns, count, _ in rows} == session
    for _, ns, count, samples in rows:
        assert samples == pytest.approx([one / 1e9 / count for one in ns], rel=1e-15)


def _cache() -> str:
    folder = Path(tempfile.gettempdir()) / f"benchdb-test-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    return str(folder)
