-- One row per timed series of the runs of some sessions, the last attempt at a benchmark last: what a session has to be
-- compared by, without all that `session_values` reads for a verdict.
SELECT
    CAST(run.session_id AS VARCHAR) AS session_id,
    CAST(run.run_id AS VARCHAR) AS run_id,
    CAST(run.benchmark_id AS VARCHAR) AS benchmark_id,
    device.backend,
    device.name AS device,
    measurement.metric,
    measurement.phase,
    measurement.unit,
    measurement.min,
    measurement.median,
    measurement.value,
    run.code_hash,
    run.result_count
FROM measurement
INNER JOIN run ON run.run_id = measurement.run_id AND run.session_id = measurement.session_id
LEFT JOIN device ON device.device_id = coalesce(measurement.device_id, run.device_id)
WHERE
    measurement.session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
    AND list_contains($metrics, measurement.metric)
    AND measurement.pass = 'time' AND measurement.rank IS NULL AND measurement.valid
    AND measurement.provenance <> 'simulated' AND run.provenance <> 'simulated'
    AND run.outcome IN ('passed', 'xpassed')
ORDER BY run.attempt
