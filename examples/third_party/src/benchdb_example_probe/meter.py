"""What a sensor says: `pytest_benchdb.interfaces.Meter` for the toy's energy counter."""

import time
from collections.abc import Mapping, Sequence

from benchdb_example_probe.accelerator import BUSY_W, FIRMWARE, TICK_J, this_accelerator
from benchdb_example_probe.backend import UUID
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading

ENERGY = Domain(
    name=f"{UUID}/energy",
    metric="energy",
    unit="J",
    kind="counter",
    scope="device",
    device_uuid=UUID,  # readings belong to the device with this uuid, in whatever order devices are listed
    tick_s=TICK_J / BUSY_W,
)


class ExampleMeter:
    """Reads the energy counter."""

    name = "example"
    provenance: Provenance = "simulated"

    def probe(self) -> Probe:
        return Probe(available=True, versions={"example": FIRMWARE})

    def domains(self) -> Sequence[Domain]:
        return [ENERGY]

    def read(self) -> Mapping[str, Reading]:
        return {ENERGY.name: Reading(this_accelerator().joules(), time.monotonic_ns())}

    def close(self) -> None:
        pass
