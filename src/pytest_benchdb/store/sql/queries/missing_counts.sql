-- One row per reason why runs that were asked for hardware counters have none, most runs first.
SELECT
    measurement.reason,
    count(DISTINCT measurement.run_id) AS runs
FROM measurement
INNER JOIN run ON run.run_id = measurement.run_id
WHERE
    measurement.session_id = CAST($session_id AS UUID)
    AND measurement.pass = 'counters'
    AND measurement.metric = 'instructions'
    AND measurement.phase IS NULL
    AND measurement.value IS NULL
    AND measurement.reason IS NOT NULL
    AND run.outcome = 'passed'
GROUP BY ALL
ORDER BY runs DESC, measurement.reason
