"""The number of cases that a hostile test tries."""

from typing import NamedTuple

import pytest


class Counts(NamedTuple):
    """How many cases to try; `full` with ``--hostile-full``."""

    usual: int
    full: int


def counted(*, sample: int, long: int, full: int) -> pytest.MarkDecorator:
    """Run a test with `count` cases: `sample` in every run, `long` with ``-m long``, `full` if asked for all."""
    return pytest.mark.parametrize(
        "count",
        [
            pytest.param(Counts(sample, sample), id="sample"),
            pytest.param(Counts(long, full), id="long", marks=pytest.mark.long),
        ],
        indirect=True,
    )
