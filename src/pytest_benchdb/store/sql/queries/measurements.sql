-- One row per measurement of a run or of sessions, whole runs before their phases.
SELECT
    measurement.* REPLACE (
        CAST(measurement_id AS VARCHAR) AS measurement_id,
        CAST(run_id AS VARCHAR) AS run_id,
        CAST(session_id AS VARCHAR) AS session_id,
        CAST(benchmark_id AS VARCHAR) AS benchmark_id,
        strftime(started_at, '%Y-%m-%dT%H:%M:%S.%f') AS started_at
    )
FROM measurement
WHERE
    ($run_id IS NULL OR run_id = TRY_CAST($run_id AS UUID))
    AND ($session_ids IS NULL OR session_id IN (SELECT unnest(CAST($session_ids AS UUID[]))))
ORDER BY measurement.started_at, measurement.run_id, phase NULLS FIRST, pass, metric
