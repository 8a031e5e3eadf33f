"""The project's configuration: its `[tool.benchdb]`, and the database that it names.

Without `--db` the database is BENCHDB_DB, else ``[tool.benchdb] db``, else ``.benchdb``.
"""

from pathlib import Path
from typing import Any

from pytest_benchdb.environment.toml_files import benchdb_table
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.select.spec.syntax import home_path

DEFAULT_DB = ".benchdb"


def find_db(option: str | None, folder: Path) -> Path:
    """Return the path of the database.

    Args:
        option: the value of `--db` or `BENCHDB_DB`; None or empty if neither is set.
        folder: the working folder.

    Raises:
        ConfigError: the nearest ``pyproject.toml`` is not valid, or its `db` is not a string.
    """
    if option:
        return home_path(option)
    table, file = project_table(folder)
    path = table.get("db")
    if path is None:
        # pytest's default is in the project's root, even when pytest starts in a subfolder.
        default = folder / DEFAULT_DB if file is None else file.parent / DEFAULT_DB
        return _relative(default, folder) if default.exists() else Path(DEFAULT_DB)
    if file is None or not isinstance(path, str):
        raise ConfigError(f"{file}: [tool.benchdb] db is {path!r}; give a text")
    return _relative(file.parent / home_path(path), folder)


def project_table(folder: Path) -> tuple[dict[str, Any], Path | None]:
    """Return ``[tool.benchdb]`` of the nearest ``pyproject.toml`` and that file's path; empty and None without one.

    Args:
        folder: the working folder, where the upward search starts.

    Raises:
        ConfigError: the file is not valid.
    """
    files = (parent / "pyproject.toml" for parent in (folder, *folder.parents))
    file = next((file for file in files if file.is_file()), None)
    return ({}, None) if file is None else (benchdb_table(file), file)


def _relative(path: Path, folder: Path) -> Path:
    """Return the path as a user in `folder` would write it."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path
