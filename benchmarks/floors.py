"""What storing costs at the least: the parts that are Python's and DuckDB's own, whatever this package does.

Run it from the root of the checkout: ``python -m benchmarks.floors``. CPU times are the best of several runs.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.folding import write_session

from pytest_benchdb.store import connection as db
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.schema.migrate import accept
from pytest_benchdb.store.statement import read

REPEATS = 20
FILES = 50
START = "import os, sys; sys.path[:] = {path!r}; {code}; os._exit(0)"
OPEN = "import _duckdb; _duckdb.connect(':memory:', config={'threads': 1}).execute('SELECT 1')"


def best_ms(cpu_s: Callable[[], float], action: Callable[[], object]) -> float:
    """Return the least CPU time that an action took, by the clock `cpu_s`."""
    best = float("inf")
    for _ in range(REPEATS):
        started = cpu_s()
        action()
        best = min(best, cpu_s() - started)
    return best * 1e3


def child_ms(code: str) -> float:
    """Return the CPU time of a process that starts like the one that folds, and then runs `code`."""
    command = [sys.executable, "-I", "-S", "-c", START.format(path=sys.path, code=code)]
    return best_ms(children_s, lambda: subprocess.run(command, check=True))


def children_s() -> float:
    """Return the CPU time of all child processes so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def show_process() -> None:
    """Print what the process that folds costs before it does anything."""
    print(f"start of a Python without site: {child_ms('pass'):.1f} ms CPU")
    print(f"  and the import of DuckDB: {child_ms('import _duckdb'):.1f} ms")
    print(f"  and an empty database in memory: {child_ms(OPEN):.1f} ms")


def show_files(folder: Path) -> None:
    """Print what attaching files costs, before one row of them is copied."""
    first = fold(str(write_session(folder, 0, 300, 30)), cache=None).path
    assert first is not None
    paths = {f"source_{number}": os.fspath(folder / f"{number}.duckdb") for number in range(FILES)}
    for path in paths.values():
        shutil.copyfile(first, path)
    with contextlib.closing(db.connect()) as connection:

        def each_ms(action: Callable[[], object]) -> float:
            def run() -> None:
                for alias, path in paths.items():
                    db.attach(connection, path, alias, read_only=True)
                action()
                for alias in paths:
                    db.detach(connection, alias)

            return best_ms(time.process_time, run) / FILES

        print(f"attach and detach a session file, one of {FILES}: {each_ms(lambda: None):.1f} ms CPU")
        print(f"  and check what it defines: {each_ms(lambda: accept(connection, paths)):.1f} ms")


def show_sizes(folder: Path) -> None:
    """Print the size of a file with the rows of ten benchmarks, written at once, with less and less of the schema."""
    path = fold(str(write_session(folder, 1, 10, 30)), cache=str(folder)).path
    assert path is not None
    print(f"session file of ten benchmarks: {Path(path).stat().st_size:,} bytes")
    with contextlib.closing(db.connect()) as connection:
        db.attach(connection, path, "source", read_only=True)
        ((filled,),) = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE estimated_size > 0").fetchall()
    least = filled * db.SESSION_BLOCK_BYTES
    print(f"  the least block of DuckDB for each of the {filled} tables that have rows: {least:,} bytes")
    statements = read("schema").split(";\n")
    tables = [statement for statement in statements if "CREATE TABLE" in statement]
    views = [statement for statement in statements if "CREATE VIEW" in statement]
    for title, kept in (
        ("written at once", statements),
        ("without comments on tables and columns", tables + views),
        ("without views either", tables),
    ):
        print(f"  {title}: {_copy_bytes(path, folder / f'kept-{len(kept)}.duckdb', kept):,} bytes")


def _copy_bytes(path: str, copy: Path, statements: list[str]) -> int:
    with contextlib.closing(db.connect()) as connection:
        db.attach(connection, path, "source", read_only=True)
        db.attach(connection, copy, "copy", block_bytes=db.SESSION_BLOCK_BYTES)
        connection.execute(f"USE copy; BEGIN; {';'.join(statements)}")
        names = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'copy'").fetchall()
        for (name,) in names:
            connection.execute(f"INSERT INTO {name} SELECT * FROM source.{name}")
        connection.execute("COMMIT; USE memory; DETACH copy")
    return copy.stat().st_size


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        show_process()
        show_files(Path(name))
        show_sizes(Path(name))


if __name__ == "__main__":
    main()
