"""Whatever bytes the files of a format have, its importer reads them or says in one line what is wrong."""

import copy
import json
import math
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_importers import BUILT_IN, DATA_FOLDER, WRITTEN, own_files
from tests.importers.test_mutated import mutated

from pytest_benchdb.interfaces import Importer, ReadsFolders
from pytest_benchdb.model.imported import ImportedSession, SourceFile
from pytest_benchdb.operations.exchange.as_journal import journal_lines, session_id_of
from pytest_benchdb.operations.exchange.parsing import Parsed, parse
from pytest_benchdb.operations.exchange.sources import Source

SHORT = 12
LONG = int(os.environ.get("BENCHDB_MUTATIONS", "2000"))
"""Mutations of each file."""


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**63, -(2**70), 10**400, 1e308, -1e308, math.nan, math.inf, 1e-320, 0.5),
    *("", " ", "x", "\ud800", "\x00", "NaN", "9" * 30, "0x7f3a5c0d1e50", "9999-12-31T23:59:59-23:59", "0001-01-01"),
    *([], {}, [[]], [None], [0.5], ["x"], {"": 1}, [[["x"] * 3]], {"a": {"b": []}}),
)
"""Values of every type, some of which no tool writes."""


def strange(content: bytes, seed: int) -> bytes:
    """Return JSON in which a few values are other ones, of any type."""
    chance = random.Random(seed)  # noqa: S311 - mutations
    whole = json.loads(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        holder: Any = None
        key: Any = None
        value = whole
        while isinstance(value, dict | list) and value and (holder is None or chance.random() < 0.8):
            holder, key = value, chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
            value = holder[key]
        if holder is not None:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
    return json.dumps(whole).encode("utf-8", "surrogatepass")


def parsed_of(importer: Importer, path: Path) -> Parsed:
    source = Source(path=path, files=tuple(file for file in [path] if file.is_file()), importer=importer.name)
    return parse(source, importer.name, importer)


def judge(importer: Importer, path: Path, seed: int) -> int:
    """Read a file as `benchdb import` does; return the number of runs that could be stored."""
    parsed = parsed_of(importer, path)

    assert "failed with" not in (parsed.reason or ""), (importer.name, path.name, seed, parsed.reason)
    for text in (parsed.reason or "", *(problem.place + problem.text for problem in parsed.problems)):
        assert "\n" not in text, (importer.name, seed, text)
    for session in parsed.sessions:
        _store(session)
    return sum(len(session.runs) for session in parsed.sessions)


def _store(session: ImportedSession) -> None:
    if session.started_unix_us is not None:
        source = SourceFile(path="x", checksum="0", importer="x", rows=1)
        assert b"".join(journal_lines(session, session_id_of(session), source, {}))


def fuzz(name: str, folder: Path, count: int) -> None:
    importer = BUILT_IN[name]
    home = DATA_FOLDER / name
    taken = 0
    for good in own_files(importer):
        shutil.rmtree(folder / "copy", ignore_errors=True)
        path = Path(shutil.copytree(home, folder / "copy")) / good.relative_to(home)
        is_folder = isinstance(importer, ReadsFolders)
        files = sorted(file for file in path.rglob("*") if file.is_file()) if is_folder else [path]
        for seed in range(count):
            file = random.Random(seed).choice(files)  # noqa: S311 - which file is damaged
            content = file.read_bytes()
            is_json = seed % 2 and file.suffix == ".json"
            file.write_bytes(strange(content, seed) if is_json else mutated(content, seed))
            taken += judge(importer, path, seed)
            file.write_bytes(content)
    assert taken or count == SHORT


@pytest.mark.parametrize("name", sorted(BUILT_IN.keys() - WRITTEN))
def test_damaged_files_of_a_format_are_read_or_refused(name: str, tmp_path: Path) -> None:
    fuzz(name, tmp_path, SHORT)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(BUILT_IN.keys() - WRITTEN))
def test_many_damaged_files_of_a_format_are_read_or_refused(name: str, tmp_path: Path) -> None:
    fuzz(name, tmp_path, LONG)
