from pathlib import Path

import pytest

from pytest_benchdb.errors import ForeignFileError, SchemaVersionError, StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.schema import template
from pytest_benchdb.store.schema.migrate import MIGRATIONS, migrate, migrations, read_meta, version_of
from pytest_benchdb.store.schema.template import SCHEMA_VERSION, attach_new
from pytest_benchdb.store.statement import read

_SHAPE = (
    """
    SELECT table_name, column_name, data_type, is_nullable, column_index, comment
    FROM duckdb_columns() WHERE database_name = '{0}' ORDER BY ALL
    """,
    "SELECT table_name, comment FROM duckdb_tables() WHERE database_name = '{0}' ORDER BY ALL",
    "SELECT view_name, sql, comment FROM duckdb_views() WHERE database_name = '{0}' AND NOT internal ORDER BY ALL",
)


def shape(connection: object, alias: str) -> list[list[tuple[object, ...]]]:
    return [connection.execute(sql.format(alias)).fetchall() for sql in _SHAPE]  # type: ignore[attr-defined]


def new_file(path: Path) -> None:
    connection = db.connect()
    attach_new(connection, str(path), "made", file_kind="history", block_bytes=16384)
    connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    connection.close()


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0002_add_colour.sql").write_text(
        "ALTER TABLE session ADD COLUMN colour VARCHAR; COMMENT ON COLUMN session.colour IS 'Its colour'"
    )
    (folder / "0003_add_pet.sql").write_text(
        "CREATE TABLE pet (name VARCHAR NOT NULL); COMMENT ON TABLE pet IS 'A pet'"
    )
    return folder


def test_migrate_runs_what_is_missing_once(tmp_path: Path, steps: Path) -> None:
    path = tmp_path / "a.duckdb"
    new_file(path)
    connection = db.connect()
    db.attach(connection, path, "old")

    assert migrate(connection, "old", path, steps) == 2
    assert migrate(connection, "old", path, steps) == 0

    facts = read_meta(connection, "old", path)
    assert facts["schema_version"] == "3"
    assert facts["migration_0002"] == "0002_add_colour"
    assert connection.execute("SELECT colour FROM old.session").fetchall() == []


def test_migrate_that_fails_leaves_the_file_as_it_was(tmp_path: Path, steps: Path) -> None:
    (steps / "0003_add_pet.sql").write_text("CREATE TABLE pet (name VARCHAR); CREATE TABLE pet (name VARCHAR)")
    path = tmp_path / "a.duckdb"
    new_file(path)
    connection = db.connect()
    db.attach(connection, path, "old")

    with pytest.raises(StoreError, match=r"migration 0003_add_pet\.sql failed and was undone"):
        migrate(connection, "old", path, steps)

    assert read_meta(connection, "old", path)["schema_version"] == "1"
    tables = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'pet'").fetchone()
    assert tables == (0,)


@pytest.mark.parametrize("name", ["0005_gap.sql", "0002_twice.sql", "four.sql"])
def test_migrations_out_of_order_are_refused(steps: Path, name: str) -> None:
    (steps / name).write_text("SELECT 1")

    with pytest.raises(StoreError, match="is not the next migration"):
        migrations(steps)


def test_migrations_of_the_package_lead_to_the_schema(tmp_path: Path) -> None:
    assert max(migrations(), default=1) == SCHEMA_VERSION

    first = Path(__file__).parent / "data" / "schema_1.sql"
    connection = db.connect()
    db.attach(connection, tmp_path / "old.duckdb", "old", block_bytes=16384)
    connection.execute("USE old")
    connection.execute(first.read_text(encoding="utf-8"))
    connection.execute("INSERT INTO meta VALUES ('format', 'pytest-benchdb'), ('schema_version', '1')")
    connection.execute("USE memory")
    migrate(connection, "old", tmp_path / "old.duckdb", MIGRATIONS)
    attach_new(connection, str(tmp_path / "new.duckdb"), "new", file_kind="history", block_bytes=16384)

    assert shape(connection, "old") == shape(connection, "new")


def test_schema_says_where_its_version_and_its_migrations_are() -> None:
    header = read("schema").partition("\n\n")[0]

    assert f"SCHEMA_VERSION in {'/'.join(template.__name__.split('.')[1:])}.py" in header
    assert f"{MIGRATIONS.name}/NNNN_name.sql" in header


def test_newer_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"

    with pytest.raises(SchemaVersionError, match="pip install --upgrade pytest-benchdb"):
        version_of({"schema_version": str(SCHEMA_VERSION + 1)}, path)


def test_database_of_somebody_else_is_foreign(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    connection = db.connect()
    db.attach(connection, path, "other")
    connection.execute("CREATE TABLE other.meta (key VARCHAR, value VARCHAR)")
    connection.execute("CREATE TABLE other.run (x INTEGER)")

    with pytest.raises(ForeignFileError, match="not one of pytest-benchdb"):
        read_meta(connection, "other", path)
