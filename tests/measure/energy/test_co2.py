import pytest

from pytest_benchdb.measure.energy.co2 import co2_of
from pytest_benchdb.model.run import Measurement


def test_each_total_energy_gives_co2_at_the_stated_factor() -> None:
    rows = [
        Measurement.of("wall_time", value=1.0),
        Measurement.of("energy", pass_name="energy", value=3.6e6, scope="package", window_s=2.0),
        Measurement.of("energy", pass_name="energy", value=3.6e6, domain="package-0", scope="package"),
        Measurement.of("energy", pass_name="energy", value=1.8e6, valid=False, reason="short", phase="decode"),
        Measurement.of("energy", pass_name="energy", value=1.0, provenance="simulated"),
        Measurement.of("energy", pass_name="energy", reason="no counter"),
    ]

    found = co2_of(rows, 350)

    assert [row.value for row in found] == pytest.approx([0.350, 0.175, 0.350 / 3.6e6])
    assert [(row.valid, row.reason, row.provenance, row.phase) for row in found] == [
        (True, None, "derived", None),
        (False, "short", "derived", "decode"),
        (True, None, "simulated", None),
    ]
    assert (found[0].unit, found[0].scope, found[0].window_s) == ("kg", "package", 2.0)
    assert found[0].details == {"gco2_per_kwh": 350}
