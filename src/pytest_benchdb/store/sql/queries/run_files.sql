-- One row per attachment of one of the given names, of the runs of some sessions, oldest run first.
SELECT
    CAST(run.session_id AS VARCHAR) AS session_id,
    CAST(run.run_id AS VARCHAR) AS run_id,
    benchmark.fullname,
    device.backend,
    device.name AS device,
    attachment.name,
    attachment.checksum
FROM attachment
INNER JOIN run ON run.run_id = attachment.run_id
INNER JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
LEFT JOIN device ON device.device_id = run.device_id
WHERE
    CAST(run.session_id AS VARCHAR) IN (SELECT unnest($session_ids))
    AND attachment.name IN (SELECT unnest($names))
ORDER BY run.started_at, run.run_id
