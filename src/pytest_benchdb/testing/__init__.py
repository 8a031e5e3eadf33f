"""The contracts of backends, meters, importers and exporters, as test classes for packages that provide them.

::

    from pytest_benchdb.testing import BackendContract


    class TestMyBackend(BackendContract):
        @pytest.fixture
        def backend(self):
            return MyBackend()

Tests that need a device are skipped without one, with the backend's reason, so that the same file works both in CI
without hardware and on a workstation.
"""

from pytest_benchdb.testing.backend_contract import BackendContract
from pytest_benchdb.testing.exporter_contract import ExporterContract
from pytest_benchdb.testing.importer_contract import ImporterContract
from pytest_benchdb.testing.known_answers import KnownAnswers, Work, WorkContract
from pytest_benchdb.testing.meter_contract import MeterContract
from pytest_benchdb.testing.model_device import ModelBackend, ModelMeter
from pytest_benchdb.testing.provider_contract import ProviderContract

__all__ = [
    "BackendContract",
    "ExporterContract",
    "ImporterContract",
    "KnownAnswers",
    "MeterContract",
    "ModelBackend",
    "ModelMeter",
    "ProviderContract",
    "Work",
    "WorkContract",
]
