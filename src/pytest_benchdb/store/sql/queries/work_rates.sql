-- One row per run and rate of its work: floating-point operations or bytes per second, of the whole run.
SELECT
    CAST(measurement.run_id AS VARCHAR) AS run_id,
    session.fingerprint,
    CAST(run.device_id AS VARCHAR) AS device_id,
    measurement.metric,
    measurement.value
FROM measurement
INNER JOIN run ON run.run_id = measurement.run_id AND run.session_id = measurement.session_id
INNER JOIN session ON session.session_id = measurement.session_id
WHERE
    measurement.metric IN ('flops_per_second', 'bytes_per_second')
    AND measurement.phase IS NULL
    AND measurement.rank IS NULL
    AND measurement.valid
    AND measurement.value IS NOT NULL
    AND measurement.session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
