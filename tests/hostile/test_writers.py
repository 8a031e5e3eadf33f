"""Many sessions at once into one folder and one file, beside commands that read: everything is there once."""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.hostile.counts import counted
from tests.hostile.killing import Victims

AT_ONCE = 6
pytestmark = pytest.mark.skipif(os.name == "nt", reason="what is shared with the killers needs groups of processes")


@pytest.mark.parametrize("name", ["results", "results.duckdb"], ids=["folder", "file"])
@counted(sample=2, long=8, full=80)
def test_sessions_at_once_are_all_stored_once(count: int, tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    victims = Victims(tmp_path / "suites", place, seed=1)

    def work(number: int) -> None:
        chance = random.Random(number)  # noqa: S311
        if number % 4 == 3 and place.exists():
            reader = chance.choice((("sessions", "--db"), ("report", "--db"), ("recover",)))
            victims.upkeep(number, chance, (*reader, str(place)), None)
        victims.record(number, chance, chance.choice(("plain", "plain", "all", "xdist")), None)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, range(count)))
    victims.upkeep(count, random.Random(0), ("recover", str(place)), None)  # noqa: S311
    victims.check(place)

    assert victims.faults == []
    assert [len(names) for names in victims.finished.values()] == [6] * count
