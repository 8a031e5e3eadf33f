"""Reads the names that a user may type from a history as it is: nothing is folded, waited for, written or refused."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.folder_history import existing_history
from pytest_benchdb.store.schema.migrate import attach_ours
from pytest_benchdb.store.schema.template import SCHEMA_VERSION
from pytest_benchdb.store.statement import fetch


def known_names(path: Path) -> Mapping[str, list[str]]:
    """Return names by kind, as in ``queries/known_names.sql``, those of the newest sessions first.

    Args:
        path: a single file, or a folder, whose history was read before; else there are no names.
    """
    names: dict[str, list[str]] = {}
    with contextlib.suppress(StoreError, OSError):
        file = existing_history(path) if path.is_dir() else path
        if file is None or not file.is_file():
            return names
        with contextlib.closing(db.connect()) as connection, translated(os.fspath(file)):
            if attach_ours(connection, file, "history") == SCHEMA_VERSION:
                connection.execute("USE history")
                for row in fetch(connection, "queries/known_names", {}):
                    names.setdefault(row["kind"], []).append(row["name"])
    return names
