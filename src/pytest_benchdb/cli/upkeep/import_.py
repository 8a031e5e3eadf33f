"""`benchdb import`: results of other tools become sessions."""

from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import FORMATS, Output, make_output, write_table
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.answer.table import DataTable
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.exchange.importing import FileOutcome, Imported, ImportRequest, import_files
from pytest_benchdb.present.writing.text import sanitize

_MOST_TOLD = 20
_MOST_NAMED = 5
_COLUMNS = ("file", "format", "imported", "known", "runs", "refused", "reason")

_HELP = """Import results of other tools as sessions.

FORMAT is pytest-benchmark (its JSON files of 2015 to 5.3, or a whole .benchmarks folder), csv or parquet (a long table
with the columns session, started_at, benchmark, value), the name of an importer of another package, or auto, which
finds out. Each PATH is a file or a folder.

Times come from the files. What cannot be taken is named with its place, and the rest goes in; importing twice adds
nothing. Exit status: 0 something came in or was there already, 2 nothing could be taken, or --strict was not kept.

Example: benchdb import pytest-benchmark .benchmarks
"""


@click.command(
    "import", context_settings=options.CONTEXT, help=_HELP, short_help="Import results of other tools as sessions."
)
@click.argument("importer", metavar="FORMAT")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--db",
    metavar="PATH",
    envvar="BENCHDB_DB",
    show_envvar=True,
    help="Folder of sessions or .duckdb file to import into. Default: [tool.benchdb] db of pyproject.toml, "
    "then .benchdb.",
)
@click.option("--project", metavar="NAME", help="Name of the project. Default: what the files say, else this folder's.")
@click.option("--label", metavar="TEXT", help="Label of the sessions. Default: the names that the files have for them.")
@click.option("--tag", "tags", metavar="K=V", multiple=True, help="Tag of the sessions; can be given several times.")
@click.option("--dry-run", is_flag=True, help="Read everything and say what would come in; write nothing.")
@click.option("--strict", is_flag=True, help="Take nothing of a file that has a problem.")
@click.option("-f", "--format", type=click.Choice(FORMATS), help="Print a row for each file in this format.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing beside the data.")
@click.option("-v", "--verbose", is_flag=True, help="Name every problem, not only the first of each file.")
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
def command(**given: Any) -> int:
    """Import, tell what came in, and what did not and why."""
    output = make_output({name: given[name] for name in ("format", "quiet", "verbose", "no_progress")})
    target = str(find_db(given["db"], Path.cwd()))
    request = ImportRequest(
        format=given["importer"],
        paths=tuple(Path(path).expanduser() for path in given["paths"]),
        target=target,
        project=given["project"] or None,
        label=given["label"] or None,
        tags=dict(map(_tag, given["tags"])),
        dry_run=given["dry_run"],
        strict=given["strict"],
    )
    with feedback_of(output, "Importing") as feedback:
        imported = import_files(request, feedback.progress)
    if given["format"]:
        write_table(_table(imported, request), output)
    _tell_problems(imported, output)
    _tell_sum(imported, request, output)
    return _status(imported, strict=request.strict)


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key.strip() or not equals:
        raise ConfigError(f"--tag {text!r}: write K=V, as in --tag machine=ci")
    return key.strip(), value.strip()


def _table(imported: Imported, request: ImportRequest) -> DataTable:
    return DataTable(
        schema="benchdb.import/1",
        columns=_COLUMNS,
        rows=[
            (one.path, one.importer, one.sessions, one.known, one.runs, one.refused, one.reason)
            for one in imported.files
        ],
        facts={"target": request.target, "dry_run": request.dry_run, "passed_over": list(imported.passed_over)},
    )


def _tell_problems(imported: Imported, output: Output) -> None:
    told = 0
    for one in imported.files:
        lines = list(_problems_of(one))
        most = len(lines) if output.verbose else max(0, _MOST_TOLD - told)
        for line in lines[:most]:
            output.say(sanitize(line))
        told += len(lines)
    if told > _MOST_TOLD and not output.verbose:
        output.say(f"and {counted(told - _MOST_TOLD, 'problem')} more; -v names them all")
    if imported.passed_over:
        named = sanitize(", ".join(imported.passed_over[:_MOST_NAMED]))
        more = len(imported.passed_over) - _MOST_NAMED
        output.say(f"passed over, of no known format: {named}" + (f" and {more} more" if more > 0 else ""))
    for name, reason in imported.left_out.items():
        output.say(f"importers of {name} were not asked: {reason}")


def _problems_of(one: FileOutcome) -> list[str]:
    lines = [f"{one.path}: {problem.place}: {problem.text}" for problem in one.problems]
    more = one.refused - sum(problem.refused for problem in one.problems)
    lines += [f"{one.path}: {more} more of its items cannot be taken"] if more > 0 else []
    return lines + ([f"{one.path}: nothing of it was taken: {one.reason}"] if one.reason else [])


def _tell_sum(imported: Imported, request: ImportRequest, output: Output) -> None:
    if not imported.files:
        output.say(f"nothing to import: no file of a known format in {', '.join(map(str, request.paths))}")
        return
    files = [one for one in imported.files if one.reason is None]
    sessions, runs, known = (sum(getattr(one, name) for one in files) for name in ("sessions", "runs", "known"))
    verb = "would import" if request.dry_run else "imported"
    parts = [f"{verb} {counted(sessions, 'session')} with {counted(runs, 'run')} into {request.target}"]
    if known:
        parts.append(f"{counted(known, 'session')} left out, there already")
    refused = sum(one.refused for one in files)
    if refused:
        parts.append(f"{counted(refused, 'item')} refused")
    lost = len(imported.files) - len(files)
    if lost:
        parts.append(f"nothing taken of {counted(lost, 'file')}")
    output.say("; ".join(parts))


def _status(imported: Imported, *, strict: bool) -> int:
    if strict and any(one.reason or one.refused for one in imported.files):
        return exit_status.USAGE
    taken = any(one.sessions or one.known for one in imported.files)
    return exit_status.FINE if taken else exit_status.USAGE
