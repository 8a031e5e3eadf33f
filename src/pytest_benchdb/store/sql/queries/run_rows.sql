-- One row per run with everything about it but its measurements.
SELECT
    run.* REPLACE (
        CAST(run.run_id AS VARCHAR) AS run_id,
        CAST(run.session_id AS VARCHAR) AS session_id,
        CAST(run.benchmark_id AS VARCHAR) AS benchmark_id,
        CAST(run.device_id AS VARCHAR) AS device_id,
        CAST(run.model_version_id AS VARCHAR) AS model_version_id,
        CAST(run.framework_id AS VARCHAR) AS framework_id,
        strftime(run.started_at, '%Y-%m-%dT%H:%M:%S.%f') AS started_at
    ),
    benchmark.project,
    benchmark.fullname,
    benchmark.file,
    benchmark.class,
    benchmark.function,
    benchmark.name,
    benchmark.group_name,
    benchmark.params,
    benchmark.param_id,
    device.backend,
    device.name AS device,
    device.driver,
    device.memory_bytes,
    model.name AS model,
    model_version.version AS model_version,
    framework.name AS framework,
    framework.version AS framework_version
FROM run
LEFT JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
LEFT JOIN device ON device.device_id = run.device_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
LEFT JOIN framework ON framework.framework_id = run.framework_id
WHERE
    ($run_id IS NULL OR run.run_id = TRY_CAST($run_id AS UUID))
    AND ($session_ids IS NULL OR run.session_id IN (SELECT unnest(CAST($session_ids AS UUID[]))))
ORDER BY run.started_at, run.run_id
LIMIT $limit
