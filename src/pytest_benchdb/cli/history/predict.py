"""`benchdb predict`: estimates for what nobody measured."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.analysis.estimate import LEAST_CASES
from pytest_benchdb.cli.frame import exit_codes, options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import make_output, write_table
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.history.predict import PredictionWish, predict
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.operations.select.series import SeriesChoice, parse_metrics
from pytest_benchdb.operations.select.sessions import split_specs
from pytest_benchdb.present.history.estimate import estimate_lines, estimate_table, head_text, notes_of

_LABELS = ("model", "device", "precision", "implementation")

_HELP = f"""Estimate combinations of model, device and batch size that were not measured, from those that were.

SPEC is a file or folder of sessions, or a session in the database. Tests tell their labels with
@pytest.mark.benchdb(model=..., batch_size=..., precision=...). Without options every missing combination of measured
values is estimated; --model, --device, --precision and --implementation take names with * and ?.

Each estimate comes with its error: configurations that were measured are held out and estimated from the others, whole
combinations of labels where the one in question was never measured. Refused are estimates from fewer than
{LEAST_CASES} configurations, of values that were never measured, of sizes beyond the measured ones, and those that do
no better than guessing. Estimates are marked as such and never stored. Needs the extra: pip install
'pytest-benchdb[predict]'.

Exit status 3 if nothing could be estimated.

Example: benchdb predict results --model bert --device 'NVIDIA H100*' --batch 8,16
"""


def _name_options(function: Any) -> Any:
    for name in reversed(_LABELS):
        text = f"Only this {name}; several separated by commas."
        function = click.option(f"--{name}", metavar="NAMES", multiple=True, help=text)(function)
    return function


@click.command(
    "predict", context_settings=options.CONTEXT, help=_HELP, short_help="Estimate combinations that were not measured."
)
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
@options.database_option
@_name_options
@click.option("--batch", metavar="SIZES", multiple=True, help="Only these batch sizes: --batch 8,16.")
@click.option("--sequence-length", metavar="SIZES", multiple=True, help="Only these sequence lengths.")
@click.option(
    "--metric", metavar="NAME", help="What to estimate. Default: throughput or a time, whichever was measured most."
)
@options.run_options
@options.session_options
@options.format_option()
@options.output_option
@options.display_options
def command(**given: Any) -> int:
    """Read, estimate and show."""
    output = make_output(given)
    source = split_specs(given["specs"], find_db(given["db"], Path.cwd()))
    sizes = {"batch_size": given["batch"], "sequence_length": given["sequence_length"]}
    wish = PredictionWish(
        selection=Selection(since=given["since"], until=given["until"], last=given["last"]),
        choice=SeriesChoice(
            metrics=parse_metrics([given["metric"]] if given["metric"] else []),
            keyword=given["keyword"],
            where=given["where"],
        ),
        labels={name: tuple(_words(given[name])) for name in _LABELS if given[name]},
        sizes={name: tuple(_numbers(name, texts)) for name, texts in sizes.items() if texts},
    )
    with feedback_of(output, "Reading new sessions") as feedback:
        found = predict(source, wish, feedback=feedback)
    if output.format == "table":
        output.lines(estimate_lines(found, output.width, ascii_only=output.ascii_only))
    else:
        write_table(estimate_table(found), output)
        for text in (head_text(found), *notes_of(found)):
            output.say(text)
    refused = found.refusal is not None or (found.rows and all(row.refusal is not None for row in found.rows))
    return exit_codes.NO_BASELINE if refused else exit_codes.FINE


def _words(texts: tuple[str, ...]) -> Iterator[str]:
    yield from (word.strip() for text in texts for word in text.split(","))


def _numbers(name: str, texts: tuple[str, ...]) -> Iterator[float]:
    for word in _words(texts):
        try:
            number = float(word)
        except ValueError:
            number = 0.0
        if not 0 < number < math.inf:
            raise ConfigError(
                f"--{name.removesuffix('_size').replace('_', '-')} {word}: give numbers above 0, as in 8,16"
            )
        yield number
