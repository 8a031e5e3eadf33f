"""The generated models read every row of every table, and write it back equal."""

import datetime as dt
import json
import sys
import types
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pytest_benchdb.operations.read.query import parse_schema, schema_text
from pytest_benchdb.store.statement import read

TABLES = [relation for relation in parse_schema(read("schema")) if not relation.is_view]
VALUES: dict[str, Any] = {
    "UUID": uuid.UUID("018f0000-0000-7000-8000-000000000001"),
    "UUID[]": [uuid.UUID(int=1), uuid.UUID(int=2)],
    "VARCHAR": 'it\'s "=cmd()"',
    "VARCHAR[]": ["a", "b'c"],
    "JSON": '{"a":[1,null]}',
    "TIMESTAMP": dt.datetime(2026, 11, 21, 8, 30, 0, 250_001),  # noqa: DTZ001 - the store's are UTC without a zone
    "BOOLEAN": True,
    "INTEGER": 7,
    "BIGINT": 2**40,
    "BIGINT[]": [1, 2**50],
    "DOUBLE": 0.1 + 0.2,
    "DOUBLE[]": [0.1, 1e-300, 3.0],
    "MAP(VARCHAR, VARCHAR)": {"k": "v'", "": "x"},
    "MAP(VARCHAR, DOUBLE)": {"speed": 0.5},
}


def place_of(kind: str) -> str:
    return f"CAST(CAST(? AS JSON) AS {kind})" if kind.startswith("MAP") else f"CAST(? AS {kind})"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Return a database with a full row and one of NULLs in every table."""
    path = tmp_path / "filled.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(read("schema"))
        for table in TABLES:
            for is_full in (True, False):
                values, places = [], []
                for number, column in enumerate(table.columns):
                    value = VALUES[column.kind] if is_full or column.filled else None
                    if not is_full and column.name.endswith("_id") and column.filled:
                        value = uuid.UUID(int=number + 9)
                    elif not is_full and column.filled and column.kind == "VARCHAR":
                        value = f"other {number}"
                    values.append(json.dumps(value) if isinstance(value, dict) else value)
                    places.append(place_of(column.kind))
                connection.execute(f"INSERT INTO {table.name} VALUES ({', '.join(places)})", values)
    return path


def rows_of(path: Path) -> dict[str, list[Any]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {table.name: sorted(map(repr, connection.execute(f"FROM {table.name}").fetchall())) for table in TABLES}


@pytest.fixture
def module(request: pytest.FixtureRequest) -> Iterator[types.ModuleType]:
    """Return the generated module of a kind, imported as a file would be."""
    made = types.ModuleType("generated_models")
    sys.modules[made.__name__] = made
    exec(compile(schema_text(request.param), "generated_models.py", "exec"), made.__dict__)  # noqa: S102
    yield made
    del sys.modules[made.__name__]


@pytest.mark.parametrize("module", ["dataclasses"], indirect=True)
def test_dataclasses_round_trip_every_table(module: types.ModuleType, filled: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    with duckdb.connect(str(filled), read_only=True) as source, duckdb.connect(str(copy)) as target:
        target.execute(read("schema"))
        for kind in module.TABLES:
            rows = module.read(source, kind)
            assert len(rows) == 2
            module.write(target, rows)

    assert [kind.TABLE for kind in module.TABLES] == [table.name for table in TABLES]
    assert rows_of(copy) == rows_of(filled)


@pytest.mark.parametrize("module", ["dataclasses"], indirect=True)
def test_values_have_the_types_that_the_dataclasses_say(module: types.ModuleType, filled: Path) -> None:
    with duckdb.connect(str(filled), read_only=True) as source:
        full = next(row for row in module.read(source, module.Session) if row.tags)
        (chunk,) = [row for row in module.read(source, module.RoundChunk) if row.value]

    assert full.session_id == VALUES["UUID"]
    assert (full.started_at, full.tags) == (VALUES["TIMESTAMP"], VALUES["MAP(VARCHAR, VARCHAR)"])
    assert (chunk.round_ns, chunk.value) == (VALUES["BIGINT[]"], VALUES["DOUBLE[]"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
def test_sqlalchemy_round_trips_every_table(filled: Path, tmp_path: Path) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    pytest.importorskip("duckdb_engine")
    orm = pytest.importorskip("sqlalchemy.orm")
    made = types.ModuleType("generated_models")
    sys.modules[made.__name__] = made
    exec(compile(schema_text("sqlalchemy"), "generated_models.py", "exec"), made.__dict__)  # noqa: S102
    copy = tmp_path / "copy.duckdb"
    with duckdb.connect(str(copy)) as target:
        target.execute(read("schema"))
    engines = [sqlalchemy.create_engine(f"duckdb:///{path}") for path in (filled, copy)]
    with orm.Session(engines[0]) as source, orm.Session(engines[1]) as target:
        for mapper in made.Base.registry.mappers:
            rows = source.scalars(sqlalchemy.select(mapper.class_)).all()
            assert len(rows) == 2
            names = [column.key for column in mapper.column_attrs]
            target.add_all(mapper.class_(**{name: getattr(row, name) for name in names}) for row in rows)
        target.commit()
    for engine in engines:
        engine.dispose()
    del sys.modules[made.__name__]

    assert len(list(made.Base.registry.mappers)) == len(TABLES)
    assert rows_of(copy) == rows_of(filled)


@pytest.mark.parametrize("kind", ["dataclasses", "sqlalchemy"])
def test_generated_module_is_python(kind: str) -> None:
    text = schema_text(kind)

    compile(text, f"{kind}.py", "exec")
    assert all(f'"{table.name}"' in text for table in TABLES)
