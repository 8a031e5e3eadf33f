-- One row per measurement with its rounds in run order, SI units, time per iteration.
SELECT
    CAST(run_id AS VARCHAR) AS run_id,
    CAST(session_id AS VARCHAR) AS session_id,
    CAST(measurement_id AS VARCHAR) AS measurement_id,
    phase,
    pass,
    metric,
    unit,
    samples
FROM samples
WHERE
    ($run_id IS NULL OR run_id = TRY_CAST($run_id AS UUID))
    AND ($session_ids IS NULL OR session_id IN (SELECT unnest(CAST($session_ids AS UUID[]))))
    AND ($metric IS NULL OR metric = $metric)
ORDER BY samples.run_id, phase NULLS FIRST, pass, metric
