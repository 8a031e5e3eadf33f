"""Where the database is when nobody says: BENCHDB_DB, ``[tool.benchdb] db``, then ``.benchdb``."""

import sys
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ConfigError

DEFAULT_DB = ".benchdb"


def find_db(given: str | None, folder: Path) -> Path:
    """Return the path of the database.

    Args:
        given: `--db` or `BENCHDB_DB`; None or empty if neither is there.
        folder: the working folder; the nearest ``pyproject.toml`` above it is asked.

    Raises:
        ConfigError: the configured path is not a text.
    """
    if given:
        return Path(given).expanduser()
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if file.is_file():
            value = _table(file).get("db")
            if value is None:
                # pytest takes its default from the project's root, wherever in it the user stands.
                found = parent / DEFAULT_DB
                return _relative(found, folder) if found.exists() else Path(DEFAULT_DB)
            if not isinstance(value, str):
                raise ConfigError(f"{file}: [tool.benchdb] db is {value!r}; give a text")
            return _relative(parent / Path(value).expanduser(), folder)
    return Path(DEFAULT_DB)


def project_table(folder: Path) -> tuple[dict[str, Any], Path | None]:
    """Return ``[tool.benchdb]`` of the nearest ``pyproject.toml`` and where that is; empty and None without one.

    Args:
        folder: the working folder; it and those above it are asked.

    Raises:
        ConfigError: the file is not valid.
    """
    file = next(
        (parent / "pyproject.toml" for parent in (folder, *folder.parents) if (parent / "pyproject.toml").is_file()),
        None,
    )
    return ({}, None) if file is None else (_table(file), file)


def _relative(path: Path, folder: Path) -> Path:
    """Return the path as a user in `folder` would write it."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _table(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    # Parsing costs more than looking, and most projects have no such table.
    if "tool.benchdb" not in text:
        return {}
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # pytest depends on it below Python 3.11
    try:
        table = tomllib.loads(text).get("tool", {}).get("benchdb", {})
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML ({error}); mend it, or say --db PATH") from error
    return table if isinstance(table, dict) else {}
