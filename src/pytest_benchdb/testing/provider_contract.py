"""Tests for every backend and meter, and helpers of all contracts."""

import json
import os
import re
import select
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from pytest_benchdb.interfaces import Backend, Meter
from pytest_benchdb.model.reading import Probe

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def expect(condition: bool, message: str) -> None:
    """Fail the test with a message for the provider's author, unless the condition is true."""
    if not condition:
        pytest.fail(message, pytrace=False)


def timed(function: Callable[[], T]) -> tuple[T, float]:
    """Return the result of a function and the time that it took, seconds."""
    began = time.perf_counter()
    result = function()
    return result, time.perf_counter() - began


def use_standard_library() -> None:
    """Use a thread, a lock and a file, which must still work in a forked child."""
    done: list[int] = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    with tempfile.TemporaryFile("w+") as file:
        json.dump(done, file)


def problem_in_forked_child(action: Callable[[], object], limit_s: float) -> str | None:
    """Run an action in a forked child, where a library that was started in the parent may hang or abort.

    Return what went wrong; None if nothing did. A child that takes longer than `limit_s` is killed.
    """
    receive, send = os.pipe()
    with warnings.catch_warnings():
        # Since 3.12 Python warns about forks in a process with threads, which is what this tests.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _run_and_exit(action, send)
    os.close(send)
    try:
        answered = bool(select.select([receive], [], [], limit_s)[0])
        answer = os.read(receive, 4096).decode("utf-8", "replace") if answered else ""
    finally:
        os.close(receive)
        if not answered:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if not answered:
        return f"the child gave no answer within {limit_s:g} s"
    if not answer:
        return f"the child died with {os.waitstatus_to_exitcode(status)}"
    return None if answer == "done" else answer


def _run_and_exit(action: Callable[[], object], send: int) -> None:
    answer = "done"
    try:
        action()
    except BaseException as error:  # noqa: BLE001 - nothing may escape the child: it would run the rest of pytest
        answer = f"the child raised {type(error).__name__}: {error}"
    try:
        os.write(send, answer.encode("utf-8", "replace")[:4096])
    finally:
        os._exit(0)


class QuietContract:
    """Fails every test in which the provider prints."""

    @pytest.fixture(autouse=True)
    def quiet(self, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
        """Fail if anything, native libraries included, writes to standard output or standard error."""
        yield
        out, err = capfd.readouterr()
        expect(not out, f"the provider writes to standard output: {out!r}")
        expect(not err, f"the provider writes to standard error: {err!r}")


class ProviderContract(QuietContract):
    """Tests shared by `BackendContract` and `MeterContract`, which define the fixture `provider`.

    Attributes:
        probe_limit_s: longest wall time of a probe once its library is loaded.
        answer_limit_s: longest wall time until a thread or a forked child answers.
    """

    probe_limit_s: float = 2.0
    answer_limit_s: float = 60.0

    def test_name_is_a_word(self, provider: Backend | Meter) -> None:
        """The name is used in ``bench_<name>`` or as the method of readings."""
        name = provider.name
        expect(bool(_NAME.fullmatch(name)), f"name is {name!r}; give lower-case letters, digits and _, a letter first")

    def test_provenance_says_whether_hardware_is_behind_it(self, provider: Backend | Meter) -> None:
        """The provenance is valid; simulated results stay out of rankings and gates."""
        provenance = provider.provenance
        expect(provenance in {"measured", "simulated"}, f"provenance is {provenance!r}; say 'measured' or 'simulated'")

    def test_probe_says_why_not(self, provider: Backend | Meter) -> None:
        """A probe has a reason if and only if the provider is not available."""
        probe = provider.probe()

        expect(type(probe) is Probe, f"probe() returned {probe!r}; return a pytest_benchdb.model.reading.Probe")
        if probe.available:
            expect(probe.reason is None, f"the probe is available and yet has the reason {probe.reason!r}")
        else:
            expect(bool(probe.reason and probe.reason.strip()), "the probe is not available and does not say why")
        for name, version in probe.versions.items():
            texts = all(type(text) is str and text for text in (name, version))
            expect(texts, f"versions has {name!r}: {version!r}; give names and versions as text")

    def test_probe_is_quick(self, provider: Backend | Meter, record_property: Callable[[str, object], None]) -> None:
        """A probe is quick once its library is loaded; its time is in the JUnit report."""
        first = provider.probe()

        second, cost_s = timed(provider.probe)

        record_property("probe_s", cost_s)
        expect(second == first, f"probe() said {first} and then {second}")
        expect(
            cost_s <= self.probe_limit_s, f"the second probe took {cost_s:.3f} s, more than {self.probe_limit_s:g} s"
        )

    def test_probe_does_not_poison_fork(self, provider: Backend | Meter) -> None:
        """A child forked after a probe can use the standard library and probe again."""
        if not hasattr(os, "fork"):
            pytest.skip("this system cannot fork")
        provider.probe()

        def use() -> None:
            use_standard_library()
            provider.probe()

        problem = problem_in_forked_child(use, self.answer_limit_s)

        expect(problem is None, f"after a probe and a fork, {problem}")
