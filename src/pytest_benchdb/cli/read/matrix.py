"""`benchdb matrix`: what works where, from the outcomes of recorded runs."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.matrix.build import STALE_AFTER_S, MatrixRequest, build_matrix
from pytest_benchdb.operations.matrix.dimensions import DIMENSIONS
from pytest_benchdb.operations.select.selection import NEWEST
from pytest_benchdb.present.matrix.formats import matrix_text
from pytest_benchdb.present.matrix.text import matrix_lines

_FORMATS = ("table", "md", "html", "json", "csv")
_FILTERS = ("family", "modality", "precision", "backend")
_SPAN = re.compile(r"(\d{1,6})\s*([hdw])")
_SECONDS = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0}

_HELP = f"""Show what works where: a table of two dimensions, by default of models and backends.

Each cell has a state, the best value of the metric and the age of its newest run. The states are pass, degraded (some
passed, others did not), fail, oom, timeout, unsupported, skipped, and untested for what was never run. A cell sums up
the newest run of each benchmark in each configuration; simulated runs do not count unless -w asks for their provenance.
Below the table stand a recommended device for each model, with the reason, and the error texts of what did not pass;
-v lists every run, and `benchdb show` shows one.

SPEC is a file or folder of sessions, or sessions in the database: a label, a commit, a branch, latest~2. Without a SPEC
the newest {NEWEST} sessions are read. --diff SPEC shows what was fixed, broken or newly tested: since SPEC, or between
SPEC and the sessions that are named to be shown.

Example: benchdb matrix results --family bert --cols device --diff latest~1
"""


def _filter_option(name: str) -> Any:
    return click.option(
        f"--{name}",
        metavar="NAMES",
        multiple=True,
        help=f"Only runs of this {name}; as -w {name}=NAMES, so commas and * are understood.",
    )


@reading_command(
    "matrix",
    _HELP,
    options.specs_argument,
    click.option(
        "--rows",
        metavar="DIMENSION",
        help=f"What the rows are: {', '.join(DIMENSIONS)}. Default: model; if no run has one, benchmark or file.",
    ),
    click.option("--cols", metavar="DIMENSION", help="What the columns are [backend]."),
    options.run_options,
    *map(_filter_option, _FILTERS),
    options.metric_option("The metric in the cells: --metric throughput. Default: the main time of each benchmark."),
    options.session_options,
    click.option(
        "--diff",
        metavar="SPEC",
        shell_complete=complete_specs,
        help="Compare with what was known as of SPEC; of given SPECs, compare with SPEC alone.",
    ),
    click.option(
        "--stale-after",
        metavar="SPAN",
        help="Age from which a cell is marked as stale: 12h, 7d, 8w [30d].",
    ),
    formats=_FORMATS,
)
def command(call: Call) -> None:
    """Read, sum up and show."""
    params, output = call.params, call.output
    request = MatrixRequest(
        rows=params["rows"],
        columns=params["cols"],
        compared_with=params["diff"],
        stale_after_s=_span(params["stale_after"]),
    )
    selection = replace(call.selection(params["specs"]), where=_where(params))
    with call.reading() as feedback:
        matrix = build_matrix(selection, request, feedback=feedback)
    if output.format == "table":
        output.lines(matrix_lines(matrix, output.width, ascii_only=output.ascii_only, verbose=output.verbose))
    else:
        output.text(matrix_text(matrix, output.format))
    if not matrix.rows:
        output.say(f"no run matches {matrix.selection}" if matrix.selection else "no run has a place in this matrix")


def _where(params: Mapping[str, Any]) -> str | None:
    """Return the filter of `-w` and of the options for parts of it."""
    more = [shlex.quote(f"{name}={','.join(values)}") for name in _FILTERS if (values := _given(name, params[name]))]
    return " ".join([params["where"] or "", *more]).strip() or None


def _given(name: str, values: Sequence[str]) -> Sequence[str]:
    if any(not value.strip() for value in values):
        raise ConfigError(f"--{name} names nothing; write for example --{name} 'bert*'")
    return values


def _span(text: str | None) -> float:
    if text is None:
        return STALE_AFTER_S
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None:
        raise ConfigError(f"--stale-after {text!r}: not a span; write 12h, 7d or 8w")
    return int(match[1]) * _SECONDS[match[2]]
