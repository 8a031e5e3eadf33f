"""The three web backends pass the contract."""

import pytest

from pytest_benchdb.backends.web.backend import SharedBrowser, WasmBackend, WebGpuBackend, WebNnBackend
from pytest_benchdb.interfaces import Backend
from pytest_benchdb.testing import BackendContract


class TestWasm(BackendContract):
    @pytest.fixture
    def backend(self, shared: SharedBrowser) -> Backend:
        return WasmBackend(shared)


class TestWebGpu(BackendContract):
    @pytest.fixture
    def backend(self, shared: SharedBrowser) -> Backend:
        return WebGpuBackend(shared)


class TestWebNn(BackendContract):
    @pytest.fixture
    def backend(self, shared: SharedBrowser) -> Backend:
        return WebNnBackend(shared)
