"""Takes out of a history what files that are gone brought into it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_benchdb.store.absorb import ANNOTATIONS, FACTS, IMPORTER
from pytest_benchdb.store.statement import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def forget(connection: "DuckDBPyConnection", target: str, names: Sequence[str]) -> None:
    """Remove the files `names` from a history, with the sessions and annotations that no other file holds."""
    if not names:
        return
    gone = f"path IN (SELECT unnest({literal(list(names))})) AND importer = {literal(IMPORTER)}"
    sources, here = f"{target}.source_file", f"importer = {literal(IMPORTER)} AND NOT ({gone})"
    connection.execute("BEGIN")
    try:
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE gone_session AS SELECT session_id FROM {sources} WHERE {gone}
            EXCEPT SELECT session_id FROM {sources} WHERE {here};
            CREATE OR REPLACE TEMP TABLE gone_annotation AS SELECT source_file_id AS id FROM {sources} WHERE {gone}
            EXCEPT SELECT source_file_id FROM {sources} WHERE {here};
            DELETE FROM {target}.note WHERE session_id IN (SELECT session_id FROM gone_session)
            AND note_id NOT IN (SELECT source_file_id FROM {sources} WHERE {here})
            """
        )
        for table in (*FACTS, "source_file"):  # the file that an imported session came from
            connection.execute(
                f"DELETE FROM {identifier(target)}.{table} WHERE session_id IN (SELECT session_id FROM gone_session)"
            )
        for table, key in ANNOTATIONS.items():
            connection.execute(
                f"DELETE FROM {identifier(target)}.{table} WHERE {key} IN (SELECT id FROM gone_annotation)"
            )
        connection.execute(f"DELETE FROM {sources} WHERE {gone}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
