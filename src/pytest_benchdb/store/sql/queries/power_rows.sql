-- One row per passed run of sessions that measured power or energy.
SELECT
    CAST(run_id AS VARCHAR) AS run_id,
    CAST(session_id AS VARCHAR) AS session_id,
    strftime(started_at, '%Y-%m-%dT%H:%M:%S.%f') AS started_at,
    benchmark AS fullname,
    model_name AS model,
    hardware_type AS backend,
    device_name AS device,
    power_watts_avg AS mean_w,
    power_watts_peak AS peak_w,
    energy_joules AS energy_j,
    temperature_celsius_avg AS mean_celsius,
    temperature_celsius_peak AS peak_celsius,
    energy_efficiency_items_per_joule AS items_per_joule,
    method
FROM power_metrics
WHERE session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
ORDER BY power_metrics.started_at, power_metrics.run_id
