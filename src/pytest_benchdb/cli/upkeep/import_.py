"""`benchdb import`: import other tools' results as sessions."""

import json
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.database import db_option
from pytest_benchdb.cli.frame.output import FORMATS, Output, command_feedback, make_output, write_table
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.exchange.importing import FileOutcome, Imported, ImportRequest, import_files
from pytest_benchdb.operations.exchange.output_file import write_file
from pytest_benchdb.operations.exchange.sources import AUTO
from pytest_benchdb.operations.exchange.watching import watch
from pytest_benchdb.operations.select.spec.syntax import home_path
from pytest_benchdb.present.writing.text import sanitize

_MOST_PROBLEMS = 20
_MOST_NAMED = 5
_MOST_WORKERS = 8
_COLUMNS = ("file", "format", "imported", "known", "runs", "refused", "reason")

_HELP = """Import results of other tools as sessions.

FORMAT is the name of a tool (pytest-benchmark, hyperfine, ...), csv or parquet (a long table with the columns session,
started_at, benchmark, value), json (any JSON, with --map), or auto, which detects the format. A name that is unknown is
answered with all that are known. Each PATH is a file or a folder.

Times come from the files; for those without one, say --at. What cannot be read is reported with its place, and the rest
is imported; importing twice adds nothing. Exit status: 0 every file was imported, there already, or holds no results by
design; 2 a file, or all of them, could not be imported, or --strict failed.

Example: benchdb import pytest-benchmark .benchmarks
"""


@click.command("import", context_settings=options.CONTEXT, help=_HELP)
@click.argument("importer", metavar="FORMAT", default=AUTO, required=False)
@click.argument("paths", metavar="PATH...", nargs=-1)
@click.option(
    "--watch",
    "watched",
    metavar="DIR",
    multiple=True,
    help="Import the files that appear in this folder, each once it is whole, until Ctrl-C or SIGTERM; FORMAT may be "
    "left out.",
)
@db_option(
    "Folder of sessions or .duckdb file to import into. Default: [tool.benchdb] db of pyproject.toml, then .benchdb."
)
@click.option("--project", metavar="NAME", help="Name of the project. Default: that in the files, else this folder's.")
@click.option("--label", metavar="TEXT", help="Label of the sessions. Default: their names in the files.")
@click.option("--tag", "tags", metavar="K=V", multiple=True, help="Tag of the sessions; can be given several times.")
@click.option(
    "--as-this-machine",
    is_flag=True,
    help="The results were measured on this machine: join them to what is recorded here. Refused per file, with the "
    "reason, where a file names another processor.",
)
@click.option(
    "--machines",
    metavar="FILE",
    help="TOML file that says which machine results are of, so that an imported history goes on in what is recorded.",
)
@click.option(
    "--at",
    metavar="TIME|mtime|commit",
    help="When the results were measured whose files do not say: a time, that of the file's last change, or that of "
    "the commit in the file. Kept as a note of the sessions.",
)
@click.option(
    "--map",
    "json_map",
    metavar="FIELD=PATH",
    multiple=True,
    help="Where a value is in the JSON of FORMAT json: name=results[].name, time=results[].ms:unit=ms, param:n=..., "
    "started_at=..., commit=..., backend=..., status=...; can be given several times.",
)
@click.option("--recursive/--no-recursive", default=True, help="Search folders in folders. Default: --recursive.")
@click.option("--archive", metavar="DIR", help="Copy every file that is stored into this folder; sources stay.")
@click.option("--report", metavar="FILE", help="Write what became of each file, and why, as JSON.")
@click.option("--dry-run", is_flag=True, help="Read everything and report what would be imported; write nothing.")
@click.option("--strict", is_flag=True, help="Import nothing from a file that has a problem.")
@click.option("-f", "--format", type=click.Choice(FORMATS), help="Print a row for each file in this format.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the data.")
@click.option("-v", "--verbose", is_flag=True, help="Report every problem, not only the first of each file.")
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
def command(**params: Any) -> int:
    """Import, and report what was imported, what was not, and why."""
    output = make_output(params)
    request = _request(params)
    if params["watched"]:
        return _watch(request, params["report"], output)
    with command_feedback(output, "Importing") as feedback:
        imported = import_files(request, feedback.progress)
    if params["format"]:
        write_table(_table(imported, request), output)
    if params["report"]:
        write_file(home_path(params["report"]), [_report(imported.files, imported.passed_over, request)])
    _tell(imported, request, output)
    return _status(imported, strict=request.strict)


def _request(params: Mapping[str, Any]) -> ImportRequest:
    watched, paths = params["watched"], params["paths"]
    if watched and paths:
        raise ConfigError(f"--watch {watched[0]} and PATH {paths[0]} exclude each other; import the PATH first")
    if not watched and not paths:
        raise ConfigError("PATH is missing; write: benchdb import auto PATH, or benchdb import --watch DIR")
    for folder in map(home_path, watched):
        if not folder.is_dir():
            raise ConfigError(f"--watch {folder} is not a folder; name one that exists")
    return ImportRequest(
        format=params["importer"],
        paths=tuple(home_path(path) for path in watched or paths),
        target=str(find_db(params["db"], Path.cwd())),
        project=params["project"] or None,
        label=params["label"] or None,
        tags=dict(map(options.parse_tag, params["tags"])),
        dry_run=params["dry_run"],
        strict=params["strict"],
        as_this_machine=params["as_this_machine"],
        machines=home_path(params["machines"]) if params["machines"] else None,
        at=params["at"],
        recursive=params["recursive"],
        json_map=params["json_map"],
        archive=home_path(params["archive"]) if params["archive"] else None,
        workers=min(_MOST_WORKERS, os.cpu_count() or 1),
    )


def _watch(request: ImportRequest, report: str | None, output: Output) -> int:
    """Import what appears until a signal; the status is that of a watch that ended as it should."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    files: list[FileOutcome] = []
    passed_over: set[str] = set()

    def tell(imported: Imported) -> None:
        files.extend(imported.files)
        passed_over.update(imported.passed_over)
        if report:
            write_file(home_path(report), [_report(files, sorted(passed_over), request)])
        if imported.files:
            _tell(replace(imported, passed_over=()), request, output)

    output.say(f"watching {', '.join(map(str, request.paths))}; Ctrl-C ends it")
    try:
        watch(request, stop, tell)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    output.say(f"stopped watching; {counted(len(files), 'file')} read")
    return exit_status.FINE


def _tell(imported: Imported, request: ImportRequest, output: Output) -> None:
    _report_problems(imported, output)
    _report_sum(imported, request, output)


def _report(files: Sequence[FileOutcome], passed_over: Sequence[str], request: ImportRequest) -> bytes:
    """Return the report of an import: for each file its rows, what was left out, and why."""
    rows = [{**asdict(file), "outcome": _outcome(file)} for file in files]
    rows += [{"path": path, "outcome": "passed over", "reason": "its format is unknown"} for path in passed_over]
    whole = {"schema": "benchdb.import-report/1", "target": request.target, "dry_run": request.dry_run, "files": rows}
    return (json.dumps(whole, indent=2) + "\n").encode("utf-8", "backslashreplace")


def _outcome(file: FileOutcome) -> str:
    if file.is_no_result:
        return "no results by design"
    if file.reason is not None:
        return "not imported"
    return "imported" if file.sessions else "known"


def _table(imported: Imported, request: ImportRequest) -> DataTable:
    return DataTable(
        schema="benchdb.import/1",
        columns=_COLUMNS,
        rows=[
            (file.path, file.importer, file.sessions, file.known, file.runs, file.refused, file.reason)
            for file in imported.files
        ],
        facts={"target": request.target, "dry_run": request.dry_run, "passed_over": list(imported.passed_over)},
    )


def _report_problems(imported: Imported, output: Output) -> None:
    lines = [line for file in imported.files for line in _problems_of(file)]
    most = len(lines) if output.verbose else _MOST_PROBLEMS
    for line in lines[:most]:
        output.say(sanitize(line))
    if len(lines) > most:
        output.say(f"and {counted(len(lines) - most, 'problem')} more; -v names them all")
    if imported.passed_over:
        named = sanitize(", ".join(imported.passed_over[:_MOST_NAMED]))
        more = len(imported.passed_over) - _MOST_NAMED
        output.say(f"passed over, of unknown formats: {named}" + (f" and {more} more" if more > 0 else ""))
    for name, reason in imported.left_out.items():
        output.say(f"importers of {name} were not used: {reason}")


def _problems_of(file: FileOutcome) -> list[str]:
    lines = [f"{file.path}: {problem.place}: {problem.text}" for problem in file.problems]
    more = file.refused - sum(problem.refused for problem in file.problems)
    lines += [f"{file.path}: {more} more of its items cannot be read"] if more > 0 else []
    if file.reason is None or file.is_no_result:
        return lines
    return [*lines, f"{file.path}: nothing was imported from it: {file.reason}"]


def _report_sum(imported: Imported, request: ImportRequest, output: Output) -> None:
    if not imported.files:
        output.say(f"nothing to import: no file of a known format in {', '.join(map(str, request.paths))}")
        return
    files = [file for file in imported.files if file.reason is None]
    sessions, runs, known = (sum(getattr(file, name) for file in files) for name in ("sessions", "runs", "known"))
    verb = "would import" if request.dry_run else "imported"
    parts = [f"{verb} {counted(sessions, 'session')} with {counted(runs, 'run')} into {request.target}"]
    if known:
        parts.append(f"{counted(known, 'session')} left out, there already")
    refused = sum(file.refused for file in files)
    if refused:
        parts.append(f"{counted(refused, 'item')} refused")
    empty = sum(file.is_no_result for file in imported.files)
    if empty:
        parts.append(f"{counted(empty, 'file')} without results by design")
    lost = len(imported.files) - len(files) - empty
    if lost:
        parts.append(f"nothing imported from {counted(lost, 'file')}")
    output.say("; ".join(parts))


def _status(imported: Imported, *, strict: bool) -> int:
    lost = any(file.reason and not file.is_no_result for file in imported.files)
    taken = any(file.sessions or file.known for file in imported.files)
    if lost or not taken or (strict and any(file.refused for file in imported.files)):
        return exit_status.USAGE
    return exit_status.FINE
