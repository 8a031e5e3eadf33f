"""Reads the TOML files that people write: ``pyproject.toml``, and the rules and allowances that options name."""

import sys
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ConfigError


def read_toml(path: Path, option: str, advice: str) -> dict[str, Any]:
    """Return the content of a file that an option names.

    Args:
        path: the file.
        option: for messages, such as ``--allow``.
        advice: what to do about a file that is not valid, for messages.

    Raises:
        ConfigError: the file cannot be read, or is not valid TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{option} {path}: {error.strerror}; name a file that exists") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{option} {path} is not valid TOML (it is not UTF-8); {advice}") from error
    return _parsed(text, f"{option} {path}", advice)


def benchdb_table(pyproject: Path) -> dict[str, Any]:
    """Return ``[tool.benchdb]`` of a ``pyproject.toml``; empty if there is no such file or table.

    Raises:
        ConfigError: the file mentions the table and is not valid TOML, or ``benchdb`` is not a table.
    """
    text = _text(pyproject)
    # Parsing costs more than searching, and most projects have no such table.
    if "tool.benchdb" not in text:
        return {}
    tools = _parsed(text, str(pyproject), "correct it").get("tool")
    table = tools.get("benchdb", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{pyproject}: [tool] benchdb is {table!r}; write a table [tool.benchdb]")
    return table


def project_name(folder: Path) -> str | None:
    """Return the project's name in ``pyproject.toml``, which is the same in every checkout; None without one."""
    try:
        project = _parsed(_text(folder / "pyproject.toml"), "", "").get("project")
    except ConfigError:
        return None
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) and name else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _parsed(text: str, place: str, advice: str) -> dict[str, Any]:
    # Imported late: pytest starts this plugin in projects that have no such file, too.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # pytest depends on it below Python 3.11
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{place} is not valid TOML ({error}); {advice}") from error
    return content
