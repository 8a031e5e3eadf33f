"""`benchdb migrate`: write files of an older schema anew."""

import click

from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import command_feedback
from pytest_benchdb.cli.maintain.outcome import FORMATS, report
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.keep import upgrade_files

SCHEMA = "benchdb.migrate/1"

_HELP = """Write every file of an older schema anew, in the newest.

Older files can always be read, through a copy that is upgraded each time; this saves that work for good. An older
pytest-benchdb cannot read the new files. PATH is a folder of sessions or a .duckdb file; the default is that of --db.
What was interrupted goes on with the next call. The exit status is 5 if a file had to stay as it was.

Example: benchdb migrate results
"""


@reading_command(
    "migrate",
    _HELP,
    click.argument("path", required=False, shell_complete=complete_paths),
    formats=FORMATS,
)
def command(call: Call) -> int:
    """Upgrade."""
    path = call.named_path
    with command_feedback(call.output, "Upgrading") as feedback:
        upgraded = upgrade_files(path, feedback=feedback)
    facts = {"upgraded": [str(file) for file in upgraded.upgraded], "current": upgraded.current}
    number = len(upgraded.upgraded)
    message = f"upgraded {counted(number, 'file')}; {upgraded.current} had the newest schema"
    return report(call.output, SCHEMA, facts, message, upgraded.problems)
