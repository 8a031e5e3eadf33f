"""`benchdb predict`: estimates of combinations that were not measured."""

import math
from collections.abc import Iterator

import click

from pytest_benchdb.analysis.estimate import LEAST_CASES
from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import write_answer
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model import exit_status
from pytest_benchdb.operations.history.predict import PredictRequest, predict
from pytest_benchdb.present.history.estimate import estimate_lines, estimate_table, head_text, notes_of

_LABELS = ("model", "device", "precision", "implementation")

_HELP = f"""Estimate combinations of model, device and batch size that were not measured, from those that were.

SPEC is a file or folder of sessions, or a session in the database. Tests get their labels from
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


@reading_command(
    "predict",
    _HELP,
    options.specs_argument,
    *(
        click.option(f"--{name}", metavar="NAMES", multiple=True, help=f"Only this {name}; commas separate several.")
        for name in _LABELS
    ),
    click.option("--batch", metavar="SIZES", multiple=True, help="Only these batch sizes: --batch 8,16."),
    click.option("--sequence-length", metavar="SIZES", multiple=True, help="Only these sequence lengths."),
    click.option(
        "--metric",
        metavar="NAME",
        callback=lambda _context, _param, name: [name] if name else [],
        help="What to estimate. Default: throughput or a time, whichever was measured most.",
    ),
    options.run_options,
    options.session_options,
)
def command(call: Call) -> int:
    """Read, estimate and show."""
    params = call.params
    sizes = {"batch_size": params["batch"], "sequence_length": params["sequence_length"]}
    request = PredictRequest(
        labels={name: tuple(_words(params[name])) for name in _LABELS if params[name]},
        sizes={name: tuple(_numbers(name, texts)) for name, texts in sizes.items() if texts},
    )
    selection = call.selection(params["specs"])
    with call.reading() as feedback:
        estimates = predict(selection, request, feedback=feedback)
    write_answer(estimates, estimate_lines, estimate_table, call.output)
    if call.output.format != "table":
        for text in (head_text(estimates), *notes_of(estimates)):
            call.output.say(text)
    refused = estimates.refusal is not None or (
        estimates.rows and all(row.refusal is not None for row in estimates.rows)
    )
    return exit_status.NO_BASELINE if refused else exit_status.FINE


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
