"""Shared output of the commands that write and list annotations."""

from collections.abc import Sequence
from dataclasses import asdict

from pytest_benchdb.cli.frame.output import Output, write_table
from pytest_benchdb.model.annotation import Note
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.operations.upkeep.annotate import Written
from pytest_benchdb.present.writing.text import SHORT_ID
from pytest_benchdb.present.writing.times import local_minute

FORMATS = ("table", "json")
LIST_FORMATS = ("table", "json", "csv", "md")
_SHORT_COMMIT = 8


def say_written(output: Output, schema: str, written: Written, what: str) -> None:
    """Report what was written: as JSON on standard output, or as a message."""
    if output.format == "json":
        from pytest_benchdb.present.writing.values import object_json

        output.text(object_json(schema, {**asdict(written.entry), "path": str(written.path)}))
    else:
        output.say(what + _about(written))
    if written.waits:
        output.say(f"the file is in use; the entry waits in {written.path.parent} until it is free")


def _about(written: Written) -> str:
    session = written.session
    if session is None:
        return ""
    run_id = written.entry.run_id if isinstance(written.entry, Note) else None
    run = f" run {run_id[:SHORT_ID]} of" if run_id else ""
    commit = f" {session.commit_sha[:_SHORT_COMMIT]}" if session.commit_sha else ""
    place = f", {session.branch or 'commit'}{commit}" if session.branch or commit else ""
    return f"{run} session {session.session_id[:SHORT_ID]} ({local_minute(session.started_at)}{place})"


def write_list(
    output: Output, schema: str, columns: Sequence[str], rows: Sequence[Sequence[object]], nothing: str
) -> None:
    """Write rows; a table has shortened ids, commits and times, or the message `nothing` if there are no rows."""
    if output.format != "table":
        write_table(DataTable(schema=schema, columns=tuple(columns), rows=rows), output)
    elif rows:
        shown = [[_short(name, value) for name, value in zip(columns, row, strict=True)] for row in rows]
        write_table(DataTable(schema=schema, columns=tuple(columns), rows=shown), output)
    else:
        output.say(nothing)


def _short(column: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    if column in {"session", "since"}:
        return value[:SHORT_ID]
    if column == "commit":
        return value[:_SHORT_COMMIT]
    moments = {"recorded", "expires", "set_at", "accepted_at", "excluded_at"}
    return local_minute(value) if column in moments else value
