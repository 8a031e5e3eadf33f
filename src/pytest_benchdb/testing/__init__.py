"""The contract that every backend, meter and importer keeps, as tests that a package runs on its own.

::

    from pytest_benchdb.testing import BackendContract


    class TestMyBackend(BackendContract):
        @pytest.fixture
        def backend(self):
            return MyBackend()

A test that needs a device skips, with the backend's own reason, where there is none; so the same file serves a
continuous integration without hardware and a workstation with it.
"""

from pytest_benchdb.testing.backend_contract import BackendContract
from pytest_benchdb.testing.importer_contract import ImporterContract
from pytest_benchdb.testing.meter_contract import MeterContract
from pytest_benchdb.testing.provider_contract import ProviderContract

__all__ = ["BackendContract", "ImporterContract", "MeterContract", "ProviderContract"]
