"""Writes Markdown for a job's summary page, which GitHub keeps at 1 MiB a step."""

from pytest_benchdb.exporters.decision import FigureWriter, decide, plain_figure
from pytest_benchdb.exporters.verdict_page import page
from pytest_benchdb.model.comparison import Comparison, Gate

MOST_BYTES = 1024 * 1024


def job_summary(result: Gate | Comparison, *, figure: FigureWriter = plain_figure, size: int = MOST_BYTES) -> str:
    """Write the summary: at most `size` bytes in UTF-8, which is what is left of the step's page.

    Args:
        result: what was decided.
        figure: how to write a figure for people.
        size: bytes that may still be appended.
    """
    return page(decide(result), figure, size=size, measure=lambda text: len(text.encode("utf-8")))
