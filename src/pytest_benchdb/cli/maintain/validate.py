"""`benchdb validate`: read and check every value of a store."""

import click

from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import command_feedback
from pytest_benchdb.cli.maintain.outcome import FORMATS, report
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.keep import check_store

SCHEMA = "benchdb.validate/1"

_HELP = """Read and check every value of a database: schema, keys, ranges, units, provenance, rounds against statistics.

PATH is a folder of sessions or a .duckdb file; the default is that of --db. With --fix, what sessions that died left
behind is folded, rows that are there several times are written once, impossible values become not valid, and
the history of a folder is made anew. Nothing that was measured is lost; any other problem needs a good copy of the
file: benchdb restore. The exit status is 5 if there is a problem, or one is left.

Example: benchdb validate results
"""


@reading_command(
    "validate",
    _HELP,
    click.argument("path", required=False, shell_complete=complete_paths),
    click.option("--fix", is_flag=True, help="Repair what can be repaired without losing anything."),
    formats=FORMATS,
)
def command(call: Call) -> int:
    """Check, and repair."""
    path = call.named_path
    with command_feedback(call.output, "Checking") as feedback:
        checked = check_store(path, fix=call.params["fix"], feedback=feedback)
    result = checked.result
    found = [f"{problem.path}: {problem.check}: {problem.message}" for problem in result.problems]
    facts = {
        "files": result.files,
        "sessions": result.sessions,
        "waiting": [str(file) for file in result.waiting],
        "repaired": [str(file) for file in checked.repaired],
    }
    what = f"{counted(result.sessions, 'session')} in {counted(result.files, 'file')}"
    waiting = f"; {counted(len(result.waiting), 'session')} waiting: benchdb recover {path}" if result.waiting else ""
    repaired = f"; {counted(len(checked.repaired), 'file')} repaired" if checked.repaired else ""
    state = counted(len(found), "problem") if found else "everything is in order"
    return report(call.output, SCHEMA, facts, f"{what}: {state}{repaired}{waiting}", [*found, *checked.problems])
