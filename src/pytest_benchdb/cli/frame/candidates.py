"""What the shell completes: paths, SPECs, benchmarks, metrics and columns, from what earlier commands have read."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from pytest_benchdb.operations.select.candidates import Names


def complete_paths(_context: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Let the shell complete a path."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_specs(context: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete a SPEC, or else a path."""
    return _items(_names(context).specs(incomplete)) or complete_paths(context, param, incomplete)


def complete_shown(context: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the name of a benchmark, a SPEC, or else a path."""
    names = _names(context)
    found = [*names.benchmarks(incomplete), *names.specs(incomplete)]
    return _items(found) or complete_paths(context, param, incomplete)


def complete_benchmarks(context: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the name of a benchmark."""
    return _items(_names(context).benchmarks(incomplete))


def complete_metrics(context: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the last of several metrics that commas separate."""
    from pytest_benchdb.model.metric import METRIC_WORDS

    names = _names(context).of("metric")
    return _last_of_list(dict.fromkeys([*METRIC_WORDS, *names]), incomplete)


def complete_columns(_context: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the last of several columns of a report that commas separate."""
    from pytest_benchdb.present.report.columns import COLUMN_KEYS

    return _last_of_list(COLUMN_KEYS, incomplete)


def complete_groups(_context: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the last of several keys that runs are grouped by."""
    from pytest_benchdb.present.report.columns import GROUP_KEYS

    return _last_of_list((*GROUP_KEYS, "param:", "none"), incomplete)


def _names(context: click.Context) -> "Names":
    from pytest_benchdb.cli.frame.project import find_db
    from pytest_benchdb.operations.select.candidates import Names

    given = (word for word in context.params.get("specs") or () if isinstance(word, str) and Path(word).exists())
    path = next(given, None) or context.params.get("db")
    return Names(find_db(path, Path.cwd()))


def _last_of_list(names: Iterable[str], incomplete: str) -> "list[CompletionItem]":
    before, comma, start = incomplete.rpartition(",")
    return _items(f"{before}{comma}{name}" for name in names if name.startswith(start))


def _items(texts: Iterable[str]) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(text) for text in texts]
