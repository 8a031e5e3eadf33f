"""Write a table of values in the format that was asked for."""

from pytest_benchdb.cli.output import Output
from pytest_benchdb.present.document import DataTable

_MOST_NAMED = 8


def write_table(table: DataTable, output: Output) -> None:
    """Write values as a table, Markdown, JSON or CSV."""
    if output.format == "json":
        from pytest_benchdb.present.json_ import table_json

        output.text(table_json(table))
    elif output.format == "csv":
        from pytest_benchdb.present.csv_ import table_csv

        output.text(table_csv(table))
    elif output.format == "md":
        from pytest_benchdb.present.markdown import table_markdown

        output.text(table_markdown(table))
    else:
        from pytest_benchdb.present.values import layout_values

        laid = layout_values(table, output.width, ascii_only=output.ascii_only)
        output.lines(laid.lines)
        if laid.left_out:
            named = ", ".join(laid.left_out[:_MOST_NAMED])
            more = f" and {len(laid.left_out) - _MOST_NAMED} more" if len(laid.left_out) > _MOST_NAMED else ""
            output.say(f"left out for want of room: {named}{more}; -f csv, or --width N, shows them")
