"""`-f html` of the commands that decide."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_benchdb.analysis.decide import Decision
from pytest_benchdb.cli.frame.output import Output
from pytest_benchdb.errors import BenchdbError
from pytest_benchdb.model.answer.explanation import Explanations
from pytest_benchdb.model.answer.trend import Trends
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate
from pytest_benchdb.operations.compare.curves import THROUGHPUTS, axis_charts, trade_offs
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.history.reviewed import trends_of_rows
from pytest_benchdb.operations.history.trend import TrendRequest

HTML = "html"


def check_page(output: Output) -> None:
    """Check that a page can be made, before any work begins.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    if output.format == HTML:
        from pytest_benchdb.present.html.shell import require_jinja

        require_jinja()


def metrics_of_page(output: Output, axis: str | None) -> tuple[str, ...]:
    """Return the metrics that a page draws in addition, where they were measured."""
    return THROUGHPUTS if output.format == HTML and axis is not None else ()


def write_comparisons(
    comparisons: Sequence[Comparison],
    rows: Sequence[Sequence[ComparisonRow]],
    output: Output,
    params: Mapping[str, Any],
    decisions: Sequence[Decision] = (),
    explanations: Explanations | None = None,
) -> None:
    """Write the page of comparisons; `rows` are those of each that the options of the command select.

    Raises:
        ConfigError: the file cannot be written.
    """
    from pytest_benchdb.present.decisions.comparison import Extras, Shown, comparison_html

    charts = axis_charts(comparisons) if params.get("axis") else ()
    extras = Extras(decisions=decisions, explanations=explanations, charts=charts, trade_offs=trade_offs(charts))
    ordered = params["order"] is not None
    shown = [
        Shown(comparison=comparison, rows=of_it, ordered=ordered)
        for comparison, of_it in zip(comparisons, rows, strict=True)
    ]
    output.text(comparison_html(shown, extras))


def write_gate(gate: Gate, trends: Trends | None, explanations: Explanations | None, output: Output) -> None:
    """Write the page of a gate.

    Raises:
        ConfigError: the file cannot be written.
    """
    from pytest_benchdb.present.decisions.comparison import Extras, gate_html

    output.text(gate_html(gate, Extras(trends=trends, explanations=explanations)))


def gate_trends(gate: Gate, paths: Sequence[Path], output: Output) -> Trends | None:
    """Return the histories of what a gate did not let pass silently; None if there are none, or they cannot be read."""
    request = TrendRequest(root=Path.cwd(), environ=os.environ)
    try:
        return trends_of_rows(paths, gate.comparison, request, feedback=Feedback(warn=output.say))
    except BenchdbError as error:
        # The verdicts are what was asked for.
        output.say(f"no histories: {error}")
        return None
