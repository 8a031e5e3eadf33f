-- One row per session and series, as `model.series.SessionValue` holds it, by series and then by time. The last attempt
-- stands for the session; a run that did not pass is there once, as a wall time without figures.
WITH chosen AS MATERIALIZED (
    SELECT
        session_id,
        started_at AS session_started_at,
        CAST(row_number() OVER (ORDER BY started_at, session_id) AS INTEGER) AS nth
    FROM session
    WHERE session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
),

last_run AS MATERIALIZED (
    SELECT
        run.run_id,
        run.session_id,
        run.benchmark_id,
        run.device_id,
        run.outcome,
        run.reason,
        run.provenance,
        run.started_at,
        chosen.session_started_at,
        chosen.nth
    FROM run
    INNER JOIN chosen ON chosen.session_id = run.session_id
    WHERE
        -- The bounds let row groups be skipped; ids of sessions grow with time.
        run.session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
        AND run.provenance <> 'simulated'
        AND NOT EXISTS (
            SELECT 1
            FROM run AS later
            WHERE
                later.attempt > 1 AND later.attempt > run.attempt
                AND later.session_id = run.session_id AND later.benchmark_id = run.benchmark_id
        )
),

figure AS NOT MATERIALIZED (
    SELECT
        run_id,
        session_id,
        metric,
        phase,
        device_id,
        pass,
        domain,
        unit,
        better,
        provenance,
        valid,
        reason,
        value,
        min,
        max,
        mean,
        median,
        stddev,
        n
    FROM measurement
    WHERE
        session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
        AND pass IN ('time', 'memory') AND rank IS NULL AND provenance <> 'simulated'
        AND (($metrics IS NULL AND better <> 'none') OR list_contains($metrics, metric))
    UNION ALL BY NAME
    -- The counters of the narrowest scope together, if all of them hold. One inside of another is left out.
    SELECT
        run_id,
        session_id,
        metric,
        phase,
        'energy' AS pass,
        any_value(unit) AS unit,
        any_value(better) AS better,
        any_value(provenance) AS provenance,
        bool_and(valid AND value IS NOT NULL) AS valid,
        any_value(reason) AS reason,
        sum(value) AS value,
        1 AS n
    FROM (
        SELECT
            run_id,
            session_id,
            metric,
            phase,
            unit,
            better,
            provenance,
            valid,
            reason,
            value
        FROM measurement
        WHERE
            session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
            AND pass = 'energy' AND rank IS NULL AND provenance <> 'simulated'
            AND (($metrics IS NULL AND better <> 'none') OR list_contains($metrics, metric))
            AND json_extract_string(details, 'within') IS NULL
        QUALIFY rank() OVER (
            PARTITION BY session_id, run_id, metric, phase
            ORDER BY
                coalesce(list_position(['process', 'device', 'module', 'package', 'board', 'system'], scope), 0)
        ) = 1
    )
    GROUP BY run_id, session_id, metric, phase
),

found AS NOT MATERIALIZED (
    SELECT
        figure.*,
        last_run.* EXCLUDE (run_id, session_id, device_id, provenance, reason),
        device.backend,
        device.name AS device
    FROM figure
    INNER JOIN last_run ON last_run.run_id = figure.run_id AND last_run.session_id = figure.session_id
    LEFT JOIN device ON device.device_id = coalesce(figure.device_id, last_run.device_id)
    WHERE last_run.outcome IN ('passed', 'xpassed')
    UNION ALL BY NAME
    SELECT
        last_run.*,
        'wall_time' AS metric,
        'time' AS pass,
        's' AS unit,
        'lower' AS better,
        FALSE AS valid,
        device.backend,
        device.name AS device
    FROM last_run
    LEFT JOIN device ON device.device_id = last_run.device_id
    WHERE last_run.outcome NOT IN ('passed', 'xpassed')
),

-- Narrow, because it reads every row: the first session to keep of each series.
cut AS MATERIALIZED (
    SELECT
        benchmark_id,
        metric,
        phase,
        backend,
        device,
        list_min(max(DISTINCT nth, coalesce($keep, 1))) AS first_nth
    FROM found
    GROUP BY benchmark_id, metric, phase, backend, device
),

kept AS (
    SELECT found.*
    FROM found
    INNER JOIN cut
        ON cut.benchmark_id = found.benchmark_id AND cut.metric = found.metric
        AND cut.phase IS NOT DISTINCT FROM found.phase
        AND cut.backend IS NOT DISTINCT FROM found.backend
        AND cut.device IS NOT DISTINCT FROM found.device
    WHERE
        $keep IS NULL
        OR (
            found.nth >= cut.first_nth
            AND found.session_id IN (SELECT session_id FROM chosen WHERE nth >= (SELECT min(first_nth) FROM cut))
        )
),

one AS (
    SELECT *
    FROM kept
    QUALIFY
        row_number() OVER (
            PARTITION BY benchmark_id, metric, phase, backend, device, session_id
            ORDER BY started_at DESC, pass DESC, domain NULLS FIRST, run_id DESC
        ) = 1
),

-- What the clocks of the same part of a run said beside.
beside AS (
    SELECT
        run_id,
        session_id,
        phase,
        min(min) FILTER (WHERE metric = 'thread_time') AS thread_s,
        max(value) FILTER (WHERE metric = 'block_wall_time') AS block_wall_s,
        coalesce(
            max(value) FILTER (WHERE metric = 'block_thread_time'), max(value) FILTER (WHERE metric = 'block_cpu_time')
        ) AS block_cpu_s
    FROM measurement
    WHERE
        metric IN ('thread_time', 'block_wall_time', 'block_thread_time', 'block_cpu_time')
        AND pass = 'time' AND rank IS NULL AND valid
        AND session_id IN (SELECT session_id FROM one)
        AND session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
    GROUP BY run_id, session_id, phase
)

SELECT
    benchmark.fullname,
    one.metric,
    one.phase,
    one.backend,
    one.device,
    CAST(one.session_id AS VARCHAR) AS session_id,
    CAST(one.run_id AS VARCHAR) AS run_id,
    strftime(one.session_started_at, '%Y-%m-%dT%H:%M:%S.%f') AS started_at,
    one.outcome,
    one.reason,
    one.valid,
    one.provenance,
    one.unit,
    one.better,
    CASE WHEN one.valid THEN one.value END AS value,
    CASE WHEN one.valid THEN one.min END AS min,
    CASE WHEN one.valid THEN one.max END AS max,
    CASE WHEN one.valid THEN one.mean END AS mean,
    CASE WHEN one.valid THEN one.median END AS median,
    CASE WHEN one.valid THEN one.stddev END AS stddev,
    CASE WHEN one.valid THEN one.n END AS n,
    CASE WHEN one.valid THEN coalesce(beside.thread_s, beside.block_cpu_s / nullif(run.calls, 0)) END AS cpu_s,
    -- Reading the clocks takes about 1 us, which would be a large part of a shorter block.
    CASE WHEN one.valid AND beside.block_wall_s >= 1e-4 THEN beside.block_wall_s / nullif(beside.block_cpu_s, 0) END
        AS wall_per_cpu,
    run.code_hash,
    run.result_count,
    benchmark.group_name AS "group",
    model.name AS model,
    model_version.version,
    coalesce(run.precision, model_version.precision) AS precision,
    run.implementation,
    run.workload,
    run.batch_size,
    run.sequence_length,
    framework.name AS framework,
    run.use_case,
    benchmark.params
FROM one
INNER JOIN run ON run.run_id = one.run_id AND run.session_id = one.session_id
LEFT JOIN benchmark ON benchmark.benchmark_id = one.benchmark_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
LEFT JOIN framework ON framework.framework_id = run.framework_id
LEFT JOIN beside
    ON beside.run_id = one.run_id AND beside.session_id = one.session_id
    AND beside.phase IS NOT DISTINCT FROM one.phase
ORDER BY
    benchmark.fullname,
    one.metric,
    one.phase NULLS FIRST,
    one.backend NULLS FIRST,
    one.device NULLS FIRST,
    one.session_started_at,
    one.session_id
