-- Metrics that sessions can be compared by: those with a direction, a timer's own and those of tests.
SELECT DISTINCT measurement.metric
FROM measurement
INNER JOIN run ON run.run_id = measurement.run_id
WHERE
    CAST(run.session_id AS VARCHAR) IN (SELECT unnest($session_ids))
    AND measurement.rank IS NULL
    AND (
        measurement.better <> 'none'
        OR measurement.metric = 'timer_value'
        OR measurement.method = 'recorded by the test'
    )
    AND measurement.value IS NOT NULL
ORDER BY measurement.metric
