-- One row per run that has parameters.
SELECT
    CAST(run.run_id AS VARCHAR) AS run_id,
    benchmark.params
FROM run
INNER JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
WHERE
    benchmark.params IS NOT NULL
    AND run.session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
