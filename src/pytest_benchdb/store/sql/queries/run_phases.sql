-- One row per metric of a phase of the runs of sessions, in the order of the phases: the median of its readings.
SELECT
    CAST(run_id AS VARCHAR) AS run_id,
    phase,
    metric,
    unit,
    coalesce(n, 1) AS n,
    coalesce(median, value) AS value
FROM measurement
WHERE
    session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
    AND phase IS NOT NULL
    AND pass = 'time'
    AND rank IS NULL
    AND valid
    AND coalesce(median, value) IS NOT NULL
ORDER BY measurement.run_id, measurement.started_at, measurement.phase, measurement.unit <> 's', measurement.metric
