-- The full names of the benchmarks that each session has a run of, whatever its outcome.
SELECT
    CAST(run.session_id AS VARCHAR) AS session_id,
    list(DISTINCT benchmark.fullname) AS names
FROM run
INNER JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
WHERE CAST(run.session_id AS VARCHAR) IN (SELECT unnest($session_ids))
GROUP BY run.session_id
