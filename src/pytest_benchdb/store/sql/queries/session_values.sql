-- One row per session and series, as `model.series.SessionValue` holds it, by series and then by time. The last attempt
-- counts; a run that did not pass is there once, as a wall time without figures.
WITH chosen AS MATERIALIZED (
    SELECT
        session_id,
        session_started_at,
        CAST(row_number() OVER (ORDER BY session_started_at, session_id) AS INTEGER) AS nth
    FROM (
        SELECT
            session_id,
            -- As `model.report.SessionRow.placed_at`.
            CASE
                WHEN map_contains(tags, 'backfill') AND commit_at < started_at THEN commit_at
                ELSE started_at
            END AS session_started_at
        FROM session
        WHERE session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
    ) AS placed
),

-- Only where names are given; the filters on measurements skip what the joins would drop.
named AS MATERIALIZED (
    SELECT benchmark_id
    FROM benchmark
    WHERE list_contains($names, fullname)
),

-- Devices of one name are one: a series goes on when a machine is replaced by its like.
place AS MATERIALIZED (
    SELECT
        device_id,
        backend,
        name AS device,
        CAST(dense_rank() OVER (ORDER BY backend, name) AS INTEGER) AS place
    FROM device
),

last_run AS MATERIALIZED (
    SELECT
        run.run_id,
        run.session_id,
        run.benchmark_id,
        run.device_id,
        run.outcome IN ('passed', 'xpassed') AS passed,
        chosen.nth
    FROM run
    INNER JOIN chosen ON chosen.session_id = run.session_id
    WHERE
        -- The bounds let row groups be skipped; ids of sessions grow with time.
        run.session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
        AND run.provenance <> 'simulated'
        AND ($names IS NULL OR run.benchmark_id IN (SELECT benchmark_id FROM named))
        AND NOT EXISTS (
            SELECT 1
            FROM run AS later
            WHERE
                later.attempt > 1 AND later.attempt > run.attempt
                AND later.session_id = run.session_id AND later.benchmark_id = run.benchmark_id
        )
),

-- Narrow, because it reads every session: the sessions to keep of each series.
series AS MATERIALIZED (
    SELECT
        entry.benchmark_id,
        entry.metric,
        entry.phase,
        place.place,
        max(DISTINCT entry.nth, coalesce($keep, 1)) AS newest
    FROM (
        SELECT
            last_run.benchmark_id,
            measurement.metric,
            measurement.phase,
            coalesce(measurement.device_id, last_run.device_id) AS device_id,
            last_run.nth
        FROM measurement
        INNER JOIN last_run
            ON last_run.run_id = measurement.run_id AND last_run.session_id = measurement.session_id
        WHERE
            last_run.passed
            AND measurement.session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
            AND ($names IS NULL OR measurement.benchmark_id IN (SELECT benchmark_id FROM named))
            AND measurement.pass IN ('time', 'memory', 'energy', 'counters', 'profile') AND measurement.rank IS NULL
            AND (measurement.pass <> 'energy' OR measurement.domain IS NULL)
            AND measurement.provenance <> 'simulated'
            AND (($metrics IS NULL AND measurement.better <> 'none') OR list_contains($metrics, measurement.metric))
        UNION ALL
        SELECT
            benchmark_id,
            'wall_time',
            NULL,
            device_id,
            nth
        FROM last_run
        WHERE NOT passed
    ) AS entry
    LEFT JOIN place ON place.device_id = entry.device_id
    GROUP BY entry.benchmark_id, entry.metric, entry.phase, place.place
),

wanted AS MATERIALIZED (
    SELECT session_id
    FROM chosen
    WHERE $keep IS NULL OR nth IN (SELECT unnest(newest) FROM series)
),

figure AS (
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
        session_id IN (SELECT session_id FROM wanted)
        AND ($names IS NULL OR benchmark_id IN (SELECT benchmark_id FROM named))
        AND pass IN ('time', 'memory', 'energy', 'counters', 'profile') AND rank IS NULL AND provenance <> 'simulated'
        AND (($metrics IS NULL AND better <> 'none') OR list_contains($metrics, metric))
        -- Energy with a domain is of a single counter, and some counters include others.
        AND (pass <> 'energy' OR domain IS NULL)
),

found AS (
    SELECT
        figure.*,
        last_run.benchmark_id,
        last_run.nth,
        place.place
    FROM figure
    INNER JOIN last_run ON last_run.run_id = figure.run_id AND last_run.session_id = figure.session_id
    LEFT JOIN place ON place.device_id = coalesce(figure.device_id, last_run.device_id)
    WHERE last_run.passed
    UNION ALL BY NAME
    SELECT
        last_run.run_id,
        last_run.session_id,
        'wall_time' AS metric,
        last_run.device_id,
        'time' AS pass,
        's' AS unit,
        'lower' AS better,
        FALSE AS valid,
        last_run.benchmark_id,
        last_run.nth,
        place.place
    FROM last_run
    LEFT JOIN place ON place.device_id = last_run.device_id
    WHERE NOT last_run.passed AND last_run.session_id IN (SELECT session_id FROM wanted)
),

kept AS (
    SELECT found.*
    FROM found
    INNER JOIN series
        ON series.benchmark_id = found.benchmark_id AND series.metric = found.metric
        AND series.phase IS NOT DISTINCT FROM found.phase AND series.place IS NOT DISTINCT FROM found.place
    WHERE $keep IS NULL OR found.nth >= list_min(series.newest)
),

one AS (
    SELECT
        kept.*,
        run.outcome,
        run.reason AS run_reason,
        run.provenance AS run_provenance,
        run.model_version_id,
        run.framework_id,
        run.precision,
        run.implementation,
        run.workload,
        run.batch_size,
        run.sequence_length,
        run.use_case,
        run.calls,
        run.code_hash,
        run.result_count
    FROM kept
    INNER JOIN run ON run.run_id = kept.run_id AND run.session_id = kept.session_id
    QUALIFY
        row_number() OVER (
            PARTITION BY kept.benchmark_id, metric, phase, place, kept.session_id
            ORDER BY run.started_at DESC, pass DESC, domain NULLS FIRST, run.run_id DESC
        ) = 1
),

-- The clocks of the same part of a run.
beside AS (
    SELECT
        run_id,
        session_id,
        phase,
        min(min) FILTER (WHERE metric = 'thread_time') AS thread_s,
        max(value) FILTER (WHERE metric = 'block_wall_time') AS block_wall_s,
        max(value) FILTER (WHERE metric = 'voluntary_switches') AS waits,
        coalesce(
            max(value) FILTER (WHERE metric = 'block_thread_time'), max(value) FILTER (WHERE metric = 'block_cpu_time')
        ) AS block_cpu_s
    FROM measurement
    WHERE
        metric IN ('thread_time', 'block_wall_time', 'block_thread_time', 'block_cpu_time', 'voluntary_switches')
        AND pass = 'time' AND rank IS NULL AND valid
        AND session_id IN (SELECT session_id FROM wanted)
        AND ($names IS NULL OR benchmark_id IN (SELECT benchmark_id FROM named))
    GROUP BY run_id, session_id, phase
)

SELECT
    benchmark.fullname,
    one.metric,
    one.phase,
    device.backend,
    device.device,
    CAST(one.session_id AS VARCHAR) AS session_id,
    CAST(one.run_id AS VARCHAR) AS run_id,
    strftime(chosen.session_started_at, '%Y-%m-%dT%H:%M:%S.%f') AS started_at,
    one.outcome,
    coalesce(one.reason, one.run_reason) AS reason,
    one.valid,
    coalesce(one.provenance, one.run_provenance) AS provenance,
    one.unit,
    one.better,
    CASE WHEN one.valid THEN one.value END AS value,
    CASE WHEN one.valid THEN one.min END AS min,
    CASE WHEN one.valid THEN one.max END AS max,
    CASE WHEN one.valid THEN one.mean END AS mean,
    CASE WHEN one.valid THEN one.median END AS median,
    CASE WHEN one.valid THEN one.stddev END AS stddev,
    CASE WHEN one.valid THEN one.n END AS n,
    CASE WHEN one.valid THEN coalesce(beside.thread_s, beside.block_cpu_s / nullif(one.calls, 0)) END AS cpu_s,
    -- Reading the clocks takes about 1 us, which would be a large part of a shorter block.
    CASE WHEN one.valid AND beside.block_wall_s >= 1e-4 THEN beside.block_wall_s / nullif(beside.block_cpu_s, 0) END
        AS wall_per_cpu,
    CASE WHEN one.valid THEN beside.waits / nullif(one.calls, 0) END AS waits,
    one.code_hash,
    one.result_count,
    benchmark.group_name AS "group",
    model.name AS model,
    model_version.version,
    one.precision,
    one.implementation,
    one.workload,
    one.batch_size,
    one.sequence_length,
    framework.name AS framework,
    one.use_case,
    benchmark.params
FROM one
INNER JOIN chosen ON chosen.session_id = one.session_id
LEFT JOIN (SELECT DISTINCT place, backend, device FROM place) AS device ON device.place = one.place
LEFT JOIN benchmark ON benchmark.benchmark_id = one.benchmark_id
LEFT JOIN model_version ON model_version.model_version_id = one.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
LEFT JOIN framework ON framework.framework_id = one.framework_id
LEFT JOIN beside
    ON beside.run_id = one.run_id AND beside.session_id = one.session_id
    AND beside.phase IS NOT DISTINCT FROM one.phase
ORDER BY
    benchmark.fullname,
    one.metric,
    one.phase NULLS FIRST,
    device.backend NULLS FIRST,
    device.device NULLS FIRST,
    one.nth
