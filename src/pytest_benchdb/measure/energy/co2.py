"""CO2 of measured energy, at a factor that the user states: how much the electricity grid emits for each kWh.

Nothing is assumed: without a factor there is no CO2. The factor depends on the grid and the hour, and only its owner
knows which is meant: a yearly mean of a country, or that of the moment.
"""

from collections.abc import Sequence

from pytest_benchdb.model.run import Measurement

_J_PER_KWH = 3.6e6


def co2_of(measurements: Sequence[Measurement], gco2_per_kwh: float) -> tuple[Measurement, ...]:
    """Return the CO2 of each total energy, which covers what that energy covers; as valid as the energy is.

    A total has no `domain`; the counters that it is the sum of do, and give no CO2 of their own.
    """
    kg_per_j = gco2_per_kwh / 1000 / _J_PER_KWH
    return tuple(
        Measurement.of(
            "co2",
            pass_name=row.pass_name,
            phase=row.phase,
            provenance="simulated" if row.provenance == "simulated" else "derived",
            method=f"energy x {gco2_per_kwh:g} g of CO2 per kWh",
            value=None if row.value is None else row.value * kg_per_j,
            samples=None if row.samples is None else [joules * kg_per_j for joules in row.samples],
            valid=row.valid,
            reason=row.reason,
            device_id=row.device_id,
            scope=row.scope,
            window_s=row.window_s,
            tick_s=row.tick_s,
            rank=row.rank,
            details={**(row.details or {}), "gco2_per_kwh": gco2_per_kwh},
        )
        for row in measurements
        if row.metric == "energy" and row.domain is None and (row.value is not None or row.samples is not None)
    )
