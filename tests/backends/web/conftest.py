"""One real Chromium for each test module that needs it; without one the tests are skipped."""

from collections.abc import Iterator

import pytest

from pytest_benchdb.backends.web.backend import OpenPage, SharedBrowser, WasmBackend, WebGpuBackend
from pytest_benchdb.backends.web.browser import Host, probe
from pytest_benchdb.backends.web.page import WebPage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that start a browser as long: they take a minute."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def chromium() -> Host:
    host = Host.this()
    state = probe(host)
    if not state.available:
        pytest.skip(str(state.reason))
    return host


@pytest.fixture(scope="module")
def shared(chromium: Host) -> Iterator[SharedBrowser]:
    browser = SharedBrowser(host=chromium)
    yield browser
    browser.close()


@pytest.fixture
def wasm(shared: SharedBrowser) -> Iterator[OpenPage]:
    backend = WasmBackend(shared)
    opened = backend.open(backend.devices()[0])
    yield opened
    opened.close()


@pytest.fixture
def webgpu(shared: SharedBrowser) -> Iterator[OpenPage]:
    backend = WebGpuBackend(shared)
    opened = backend.open(backend.devices()[0])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def page(shared: SharedBrowser) -> Iterator[WebPage]:
    """Return a shared page; tests do not close or change it."""
    backend = WasmBackend(shared)
    opened = backend.open(backend.devices()[0])
    yield opened.page
    opened.close()
