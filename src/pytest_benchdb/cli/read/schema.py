"""`benchdb schema`: describe the tables, the views and their columns."""

from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.output import make_output
from pytest_benchdb.operations.read.query import SCHEMA_FORMATS, schema_text

_HELP = """Print the schema of every database that pytest-benchdb writes.

Formats: sql is the statements that create it, markdown a page of tables, mermaid a diagram of how they belong together.
dataclasses and sqlalchemy are Python modules with a typed class for each table, which read and write its rows.

Example: benchdb schema --format markdown -o schema.md
"""


@click.command("schema", context_settings=options.CONTEXT, help=_HELP)
@click.option("-f", "--format", "kind", type=click.Choice(SCHEMA_FORMATS), default="sql", help="How to print it.")
@options.output_option
@click.option("-q", "--quiet", is_flag=True, help="Print only the data.")
def command(**params: Any) -> None:
    """Print the schema."""
    output = make_output({"quiet": params["quiet"], "format": "table", "output": params["output"]})
    output.text(schema_text(params["kind"]))
