import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store import journals as j

from pytest_benchdb.errors import QueryError
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.read.sandbox import Limits


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    runs = [j.run_lines(f"test_{i}", [10, 20], labels=j.labels("bert")) for i in range(3)]
    fold(str(j.write_journal(folder, *runs)), cache=os.environ["XDG_CACHE_HOME"])
    return folder


@pytest.fixture
def reader(folder: Path) -> Iterator[Reader]:
    with open_history([folder]) as opened:
        yield opened


def test_query_select_gives_columns_and_rows(reader: Reader) -> None:
    answer = reader.query("SELECT model, hardware, AVG(throughput) FROM benchmark_performance GROUP BY model, hardware")

    assert answer.columns[:2] == ("model", "hardware")
    assert answer.rows == (("bert", "Test CPU", pytest.approx(1 / 1.5e-8)),)


@pytest.mark.parametrize(
    "sql",
    [
        "FROM run SELECT count(*)",
        "WITH a AS (SELECT 1 AS x) SELECT x FROM a",
        "VALUES (1)",
        "DESCRIBE run",
        "SUMMARIZE run",
        "SELECT unnest([1])",
        "SELECT * FROM range(2)",
        "SELECT 1;",
    ],
)
def test_query_other_spellings_of_select_work(reader: Reader, sql: str) -> None:
    assert reader.query(sql).rows


ATTACKS = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'https://example.org/a.parquet'",
    "SELECT * FROM read_parquet('s3://bucket/a.parquet')",
    "SELECT * FROM read_json('{folder}/x.json')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM glob('{folder}/*')",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY run FROM '/etc/passwd'",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}/out'",
    "ATTACH '{folder}/new.duckdb' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH history",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "PRAGMA enable_profiling = 'json'",
    "SET enable_external_access = true",
    "SET threads = 100",
    "RESET memory_limit",
    "SET VARIABLE a = 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE run",
    "",
    ";",
    "-- nothing",
    "DROP TABLE run",
    "DELETE FROM run",
    "UPDATE run SET outcome = 'passed'",
    "INSERT INTO run SELECT * FROM run",
    "CREATE TABLE memory.t AS SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "CREATE SECRET (TYPE s3)",
    "WITH a AS (DELETE FROM run RETURNING *) SELECT * FROM a",
    "WITH a AS (INSERT INTO run SELECT * FROM run RETURNING 1) SELECT * FROM a",
    "CALL pragma_database_size()",
    "CALL enable_logging('file', storage_path = '{folder}/log')",
    "SELECT * FROM enable_logging('QueryLog', storage = 'file', storage_path = '{folder}/log')",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{folder}/out.csv''')",
    "SELECT * FROM query('DROP TABLE run')",
    "SELECT * FROM query_table('/etc/passwd')",
    "SELECT * FROM \"Enable_Logging\"('QueryLog', storage = 'file', storage_path = '{folder}/log')",
    "SELECT * FROM run, LATERAL (SELECT * FROM truncate_duckdb_logs())",
    "SELECT (SELECT count(*) FROM checkpoint('history'))",
    "SELECT getenv('HOME')",
    "SELECT getenv('PATH')",
    "EXPLAIN ANALYZE DELETE FROM run",
    "EXECUTE something",
    "PREPARE a AS SELECT 1",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "SELECT * FROM sqlite_scan('/tmp/a.db', 't')",
    "SELECT * FROM postgres_scan('host=localhost', 'public', 't')",
    "SELECT * FROM duckdb_approx_database_count_does_not_exist()",
    "SELEC 1",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_query_everything_else_is_refused(reader: Reader, tmp_path: Path, attack: str) -> None:
    (tmp_path / "x.json").write_text('{"a": 1}')
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(QueryError):
        reader.query(attack.replace("{folder}", str(tmp_path)))

    assert sorted(tmp_path.rglob("*")) == before
    assert reader.query("SELECT count(*) FROM run").rows == ((3,),)


def test_query_that_takes_too_long_is_stopped(reader: Reader) -> None:
    with pytest.raises(QueryError, match=r"longer than 0\.2 s"):
        reader.query(
            "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7", Limits(seconds=0.2)
        )

    assert reader.query("SELECT 1").rows == ((1,),)


def test_query_too_much_memory_is_refused(reader: Reader) -> None:
    with pytest.raises(QueryError, match=r"[Mm]emory"):
        reader.query("SELECT list(range) FROM range(100000000)", Limits(memory_bytes=100_000_000))


def test_query_too_many_rows_is_an_error_unless_they_may_be_cut(reader: Reader) -> None:
    with pytest.raises(QueryError, match="more than 5 rows"):
        reader.query("SELECT * FROM range(100000)", Limits(rows=5))

    cut = reader.query("SELECT * FROM range(100000)", Limits(rows=5, cut=True))
    whole = reader.query("SELECT * FROM range(5)", Limits(rows=5))

    assert (len(cut.rows), cut.more) == (5, True)
    assert (len(whole.rows), whole.more) == (5, False)


def test_query_leaves_the_reader_usable(reader: Reader) -> None:
    reader.query("SELECT 1")

    assert len(reader.sessions()) == 1
    assert len(reader.runs()) == 3
