-- One row per machine, device, metric and precision: the newest measured peak.
SELECT
    session.fingerprint,
    CAST(run.device_id AS VARCHAR) AS device_id,
    measurement.metric,
    json_extract_string(measurement.details, '$.precision') AS precision,
    measurement.value
FROM measurement
INNER JOIN run ON run.run_id = measurement.run_id AND run.session_id = measurement.session_id
INNER JOIN session ON session.session_id = measurement.session_id
WHERE
    session.kind = 'peaks'
    AND measurement.metric IN ('peak_bytes_per_second', 'peak_flops_per_second')
    AND measurement.valid
    AND measurement.value IS NOT NULL
QUALIFY
    row_number() OVER (
        PARTITION BY session.fingerprint, run.device_id, measurement.metric, precision
        ORDER BY session.started_at DESC
    ) = 1
