-- One row per benchmark, configuration, place and outcome, as `model.compatibility.matrix.MatrixRun` holds it: the newest such
-- run. Rows and columns are named only if they are facts of whole sessions; metrics are in order of preference.
WITH placed AS (
    SELECT
        run.*,
        session.commit_sha,
        CASE $rows
            WHEN 'python' THEN environment.python
            WHEN 'os' THEN environment.os
            WHEN 'cpu' THEN environment.cpu_model
            WHEN 'branch' THEN session.branch
            WHEN 'commit' THEN session.commit_sha
            WHEN 'label' THEN session.label
            ELSE map_extract(session.tags, $row_tag)[1]
        END AS session_row,
        CASE $columns
            WHEN 'python' THEN environment.python
            WHEN 'os' THEN environment.os
            WHEN 'cpu' THEN environment.cpu_model
            WHEN 'branch' THEN session.branch
            WHEN 'commit' THEN session.commit_sha
            WHEN 'label' THEN session.label
            ELSE map_extract(session.tags, $column_tag)[1]
        END AS session_column
    FROM run
    INNER JOIN session ON session.session_id = run.session_id
    LEFT JOIN environment ON environment.environment_id = session.environment_id
    WHERE
        -- The bounds let row groups be skipped; ids of sessions grow with time.
        run.session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
        AND run.session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
        -- A damaged file may say that a run was at a time that is none, from which nothing is newer or older.
        AND run.started_at BETWEEN TIMESTAMP '1970-01-01' AND TIMESTAMP '9999-12-31'
        AND ($names IS NULL OR run.benchmark_id IN (
            SELECT benchmark_id FROM benchmark WHERE list_contains($names, fullname)
        ))
),

newest AS MATERIALIZED (
    SELECT
        *,
        count(*) OVER alike AS runs
    FROM placed
    WINDOW
        alike AS (
            PARTITION BY
                session_row,
                session_column,
                benchmark_id,
                device_id,
                model_version_id,
                framework_id,
                use_case,
                implementation,
                workload,
                precision,
                batch_size,
                sequence_length,
                outcome,
                provenance
        )
    QUALIFY row_number() OVER (alike ORDER BY started_at DESC, attempt DESC, run_id DESC) = 1
),

-- Only of runs that passed: a failed run is not fast.
figure AS (
    SELECT
        measurement.run_id,
        measurement.metric,
        measurement.unit,
        measurement.better,
        measurement.value
    FROM measurement
    INNER JOIN newest ON newest.run_id = measurement.run_id AND newest.session_id = measurement.session_id
    WHERE
        newest.outcome IN ('passed', 'xpassed')
        AND measurement.session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
        AND list_contains($metrics, measurement.metric)
        AND measurement.pass IN ('time', 'memory', 'energy', 'counters', 'profile') AND measurement.rank IS NULL
        -- Energy with a domain is of a single counter, and some counters include others.
        AND (measurement.pass <> 'energy' OR measurement.domain IS NULL)
        AND measurement.valid AND measurement.value IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY measurement.run_id
        ORDER BY
            measurement.phase IS NOT NULL,
            list_position($metrics, measurement.metric),
            measurement.pass DESC,
            measurement.phase,
            measurement.domain NULLS FIRST,
            measurement.measurement_id
    ) = 1
)

SELECT
    CAST(newest.run_id AS VARCHAR) AS run_id,
    CAST(newest.session_id AS VARCHAR) AS session_id,
    strftime(newest.started_at, '%Y-%m-%dT%H:%M:%S.%f') AS started_at,
    newest.commit_sha,
    benchmark.fullname,
    benchmark.file,
    benchmark.function,
    benchmark.name,
    benchmark.group_name AS "group",
    benchmark.params,
    device.backend,
    device.name AS device,
    model.name AS model,
    model_version.version,
    model.family,
    model.modality,
    framework.name AS framework,
    newest.use_case,
    newest.implementation,
    newest.workload,
    newest.precision,
    newest.batch_size,
    newest.sequence_length,
    newest.session_row,
    newest.session_column,
    newest.outcome,
    newest.reason,
    newest.attempt,
    newest.provenance,
    newest.runs,
    figure.metric,
    figure.unit,
    figure.better,
    figure.value
FROM newest
INNER JOIN benchmark ON benchmark.benchmark_id = newest.benchmark_id
LEFT JOIN device ON device.device_id = newest.device_id
LEFT JOIN model_version ON model_version.model_version_id = newest.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
LEFT JOIN framework ON framework.framework_id = newest.framework_id
LEFT JOIN figure ON figure.run_id = newest.run_id
ORDER BY benchmark.fullname, newest.started_at DESC, newest.run_id
