"""One run with everything that is known about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_benchdb.model.report import SessionRow

Row = Mapping[str, Any]
"""A row of a query, by the names of its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """Everything about one run.

    Attributes:
        session: the session it belongs to.
        run: columns of `run`, `benchmark`, `device`, `model`, `framework`, by name.
        environment: columns of `environment`; empty if the session has none.
        measurements: columns of `measurement`, by name, one row each.
        samples: rounds in run order by the id of their measurement.
        series: what was sampled over time, one row per metric and sensor: `n`, `min`, `mean`, `max`, and `means` in
            `SERIES_BINS` equal spans of the time from `begin_s` to `end_s`, None for spans without a value.
        requests: what became of the requests of a token stream, one row per phase.
        notes: what was written about its session or about itself.
        attachments: columns of `attachment`, by name, and `path`: where the file is, None if it is not there.
    """

    session: SessionRow
    run: Row
    environment: Row = field(default_factory=dict)
    measurements: Sequence[Row]
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)
    series: Sequence[Row] = ()
    requests: Sequence[Row] = ()
    attachments: Sequence[Row] = ()
    notes: Sequence[Row] = ()
