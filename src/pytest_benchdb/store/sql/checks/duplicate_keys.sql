-- keys that occur more than once: a merge or a fold went wrong
SELECT
    name || ' ' || key || ' occurs ' || count(*) || ' times' AS problem
FROM (
    SELECT 'session' AS name, CAST(session_id AS VARCHAR) AS key FROM session
    UNION ALL
    SELECT 'run', CAST(run_id AS VARCHAR) FROM run
    UNION ALL
    SELECT 'measurement', CAST(measurement_id AS VARCHAR) FROM measurement
    UNION ALL
    SELECT 'round_chunk', CAST(measurement_id AS VARCHAR) || ' ' || chunk FROM round_chunk
    UNION ALL
    SELECT 'environment', CAST(environment_id AS VARCHAR) FROM environment
    UNION ALL
    SELECT 'device', CAST(device_id AS VARCHAR) FROM device
    UNION ALL
    SELECT 'benchmark', CAST(benchmark_id AS VARCHAR) FROM benchmark
    UNION ALL
    SELECT 'model', CAST(model_id AS VARCHAR) FROM model
    UNION ALL
    SELECT 'model_version', CAST(model_version_id AS VARCHAR) FROM model_version
    UNION ALL
    SELECT 'framework', CAST(framework_id AS VARCHAR) FROM framework
    UNION ALL
    SELECT 'metric', metric FROM metric
)
GROUP BY name, key
HAVING count(*) > 1
