"""Checks that both contracts share. They fail with a sentence for the provider's author, not with an expression."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from pytest_benchdb.model.probe import Probe

T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def expect(holds: bool, otherwise: str) -> None:
    """Fail the test with a sentence unless something holds."""
    if not holds:
        pytest.fail(otherwise, pytrace=False)


def timed(question: Callable[[], T]) -> tuple[T, float]:
    """Return an answer and how long it took, seconds."""
    began = time.perf_counter()
    answer = question()
    return answer, time.perf_counter() - began


def check_name(provider: object) -> None:
    """Check the name and the provenance of a provider."""
    name, provenance = getattr(provider, "name", None), getattr(provider, "provenance", None)
    expect(
        isinstance(name, str) and _NAME.fullmatch(name) is not None,
        f"name is {name!r}; give lower-case letters, digits and _, a letter first",
    )
    expect(
        provenance in {"measured", "simulated"},
        f"provenance is {provenance!r}; a provider of figures says 'measured', or 'simulated' without hardware",
    )


def check_probe(probe: Probe) -> None:
    """Check what a probe says: a reason exactly where something is not available."""
    expect(isinstance(probe, Probe), f"probe() returned {probe!r}; return a pytest_benchdb.model.probe.Probe")
    if probe.available:
        expect(probe.reason is None, f"the probe is available and yet has the reason {probe.reason!r}")
    else:
        expect(bool(probe.reason and probe.reason.strip()), "the probe is not available and does not say why")
    for name, version in probe.versions.items():
        expect(
            all(type(text) is str and text for text in (name, version)),
            f"versions has {name!r}: {version!r}; give names and versions as text",
        )
