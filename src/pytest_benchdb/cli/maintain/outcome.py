"""Shared output of the commands that look after a store."""

from collections.abc import Mapping, Sequence

from pytest_benchdb.cli.frame.output import Output
from pytest_benchdb.model import exit_status
from pytest_benchdb.present.writing.units import one_quantity

FORMATS = ("table", "json")


def size(size_bytes: int) -> str:
    """Return a size as people read it."""
    return one_quantity(float(size_bytes), "B")


def before_and_after(before: int, after: int) -> str:
    """Return two sizes of the same thing, with the change between them."""
    share = f", {(after - before) / before:+.0%}" if before else ""
    return f"{size(before)} before, {size(after)} after{share}"


def report(output: Output, schema: str, facts: Mapping[str, object], message: str, problems: Sequence[str]) -> int:
    """Write what was done, and what could not be done; return the exit status, 5 if there is a problem."""
    if output.format == "json":
        from pytest_benchdb.present.writing.values import object_json

        output.text(object_json(schema, {**facts, "problems": list(problems)}))
    else:
        output.say(message)
        for problem in problems:
            output.say(problem)
    return exit_status.DATABASE if problems else exit_status.FINE
