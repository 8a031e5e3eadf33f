"""What the commands that write annotations say of what they wrote."""

from dataclasses import asdict

from pytest_benchdb.cli.frame.output import Output
from pytest_benchdb.model.annotation import Note
from pytest_benchdb.operations.upkeep.annotate import Written

FORMATS = ("table", "json")
_SHORT_ID = 13
_SHORT_COMMIT = 8
_MINUTE = len("2026-11-21T08:00")


def say_written(output: Output, schema: str, written: Written, what: str) -> None:
    """Tell what was written: as JSON on standard output, else in a line beside the data."""
    if output.format == "json":
        from pytest_benchdb.present.writing.values import object_json

        output.text(object_json(schema, {**asdict(written.entry), "path": str(written.path)}))
    else:
        output.say(what + _about(written))
    if written.waits:
        output.say(f"the file is in use, so it waits in {written.path.parent} and is taken in when the file is free")


def _about(written: Written) -> str:
    session = written.session
    if session is None:
        return ""
    run_id = written.entry.run_id if isinstance(written.entry, Note) else None
    run = f" run {run_id[:_SHORT_ID]} of" if run_id else ""
    commit = f" {session.commit_sha[:_SHORT_COMMIT]}" if session.commit_sha else ""
    place = f", {session.branch or 'commit'}{commit}" if session.branch or commit else ""
    return f"{run} session {session.session_id[:_SHORT_ID]} ({minute(session.started_at)}{place})"


def short(text: str | None, length: int = _SHORT_ID) -> str | None:
    """Return the beginning of an id or a hash."""
    return None if text is None else text[:length]


def minute(moment: str | None) -> str | None:
    """Return a moment as a table shows it, to the minute."""
    return None if moment is None else moment[:_MINUTE].replace("T", " ")
