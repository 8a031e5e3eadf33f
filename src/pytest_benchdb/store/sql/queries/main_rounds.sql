-- One row per run and metric of times that reports show: its rounds in run order, seconds per iteration.
SELECT
    CAST(run_id AS VARCHAR) AS run_id,
    CAST(session_id AS VARCHAR) AS session_id,
    metric,
    phase,
    samples
FROM samples
WHERE
    pass = 'time'
    AND list_contains($metrics, metric)
    AND session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
    AND measurement_id IN (
        SELECT measurement_id
        FROM measurement
        WHERE
            rank IS NULL AND valid AND list_contains($metrics, metric)
            AND session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
    )
