-- One row per run whose id begins with a prefix.
SELECT
    CAST(run_id AS VARCHAR) AS run_id,
    CAST(session_id AS VARCHAR) AS session_id
FROM run
WHERE starts_with(CAST(run.run_id AS VARCHAR), $prefix)
ORDER BY run.run_id
LIMIT 20
