"""The candidate's values as OpenMetrics text, for GitLab's metrics report.

GitLab compares them with those of the target branch. It cuts each line at a ``#`` and then parses it like a shell
(``Metrics::Generic``), so no label may have a ``#``.
"""

import math
import re
from collections.abc import Iterator, Mapping

from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate
from pytest_benchdb.present.verdicts.findings import comparison_of
from pytest_benchdb.present.writing.text import sanitize

_UNITS: Mapping[str, str] = {
    "s": "seconds",
    "B": "bytes",
    "J": "joules",
    "W": "watts",
    "K": "kelvins",
    "Hz": "hertz",
    "1/s": "per_second",
    "B/s": "bytes_per_second",
}
_NUMBER_SIGN = "\N{FULLWIDTH NUMBER SIGN}"


def gitlab_metrics(result: Gate | Comparison) -> str:
    """Return one line per row with a finite value of the candidate."""
    families: dict[tuple[str, str], dict[str, float]] = {}
    for row in comparison_of(result).rows:
        value = row.judgement.candidate
        if value is not None and math.isfinite(value):
            families.setdefault(_family(row), {})[_labels(row)] = value
    lines = []
    for (name, unit), samples in sorted(families.items()):
        lines.append(f"# TYPE {name} gauge")
        if unit:
            lines.append(f"# UNIT {name} {unit}")
        lines += [f"{name}{{{labels}}} {value!r}" for labels, value in samples.items()]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _family(row: ComparisonRow) -> tuple[str, str]:
    """Return the metric's name, which ends with its unit, and the unit."""
    unit = _UNITS.get(row.unit, "" if row.unit in {"", "1"} else _word(row.unit))
    metric = _word(row.key.metric)
    has_unit = not unit or metric.endswith(f"_{unit}") or metric == unit
    return f"benchdb_{metric}" if has_unit else f"benchdb_{metric}_{unit}", unit


def _labels(row: ComparisonRow) -> str:
    return ",".join(f'{name}="{_escape(value)}"' for name, value in _label_values(row))


def _label_values(row: ComparisonRow) -> Iterator[tuple[str, str]]:
    key = row.key
    yield "benchmark", key.fullname
    if _word(key.metric) != key.metric:
        yield "metric", key.metric
    for name, value in (("phase", key.phase), ("backend", key.backend), ("device", key.device)):
        if value is not None:
            yield name, value


def _escape(text: str) -> str:
    text = sanitize(text).replace("#", _NUMBER_SIGN)
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _word(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]+", "_", text).strip("_").lower() or "other"
