"""The ``bench_*`` fixtures: one for each backend, `bench` for the default device, `bench_each` for every selected one.

Every pytest run in an environment imports this module; a backend is looked for when a test requests it.

PYTEST_DONT_REWRITE
"""

import types
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_benchdb.plugin.bench.bench import Bench
    from pytest_benchdb.plugin.bench.devices import Devices


BUILTIN = (
    "cpu",
    "cuda",
    "rocm",
    "mps",
    "xpu",
    "openvino",
    "onnxruntime",
    "webgpu",
    "webnn",
    "wasm",
    "sim",
)
"""Backends that ship with pytest-benchdb; their fixtures always exist."""

NAMES = {"bench", "bench_each", *(f"bench_{name}" for name in BUILTIN)}
"""Names of our fixtures; those of other packages' backends are added when the backends are loaded."""


def _fixture_of(name: str) -> Any:
    def bench_on_backend(request: pytest.FixtureRequest) -> Iterator["Bench"]:
        yield from _bench(request, name)

    # Before pytest wraps it: `pytest --fixtures` shows the docstring of the function.
    bench_on_backend.__doc__ = f"Times code on the backend {name!r}; skips the test if that is missing."
    return pytest.fixture(name=f"bench_{name}")(bench_on_backend)


for _name in BUILTIN:
    globals()[f"bench_{_name}"] = _fixture_of(_name)
del _name


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator["Bench"]:
    """Times code on the default device: the first of ``--benchdb-backends``, else the CPU."""
    yield from _bench(request, None)


@pytest.fixture
def bench_each(request: pytest.FixtureRequest) -> Iterator["Bench"]:
    """Times code on each device that ``--benchdb-backends`` selects, in one test per device."""
    yield from _bench(request, request.param)


@pytest.hookimpl(trylast=True)  # after pytest-benchmark, which knows its own fixture only
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take tests with our fixtures for benchmarks, with pytest-benchmark's ``--benchmark-only`` and ``-skip``."""
    only = getattr(config.option, "benchmark_only", False)
    skip = getattr(config.option, "benchmark_skip", False) and not only
    if not only and not skip:
        return
    for item in items:
        if NAMES.isdisjoint(getattr(item, "fixturenames", ())):
            continue
        if skip:
            item.add_marker(pytest.mark.skip(reason="Skipping benchmark (--benchmark-skip active)."))
        else:
            item.own_markers[:] = (mark for mark in item.own_markers if not _is_of_benchmark_only(mark))


def _is_of_benchmark_only(mark: pytest.Mark) -> bool:
    return mark.name == "skip" and "--benchmark-only" in str(mark.kwargs.get("reason"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize `bench_each`; load other packages' backends when a test requests an unknown fixture."""
    if "bench_each" in metafunc.fixturenames:
        metafunc.parametrize("bench_each", devices_of(metafunc.config).each(), indirect=True)
    if any(name.startswith("bench_") and name not in NAMES for name in metafunc.fixturenames):
        devices_of(metafunc.config)


def _register(manager: pytest.PytestPluginManager, backends: Iterable[str]) -> None:
    """Add fixtures for backends of other packages."""
    module = types.ModuleType("benchdb_fixtures", "Fixtures of the backends of other packages.")
    for name in backends:
        if f"bench_{name}" not in NAMES:
            setattr(module, f"bench_{name}", _fixture_of(name))
            NAMES.add(f"bench_{name}")
    if any(name.startswith("bench_") for name in vars(module)):
        manager.register(module, f"benchdb-fixtures-{id(module)}")


def devices_of(config: pytest.Config) -> "Devices":
    """Return the devices of this process; the first call also registers the fixtures of other packages' backends.

    Raises:
        pytest.UsageError: the selection has an unknown name, or two packages claim one backend.
    """
    from pytest_benchdb.plugin.bench import devices

    opened = devices.devices_of(config)
    _register(config.pluginmanager, opened.registry.names)
    return opened


def _bench(request: pytest.FixtureRequest, device: str | None) -> Iterator["Bench"]:
    from pytest_benchdb.registry import current_device

    fixture = devices_of(request.config).bench(request, device)
    with current_device(fixture.opened):
        yield fixture
    if mistakes := fixture.mistakes():
        pytest.fail("\n".join(mistakes), pytrace=False)
