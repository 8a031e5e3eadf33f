-- One row per metric of a run: what it lists, what was read around its block, and the CPU time of one call.
INSERT INTO measurement
SELECT
    reading.measurement_id,
    reading.run_id,
    reading.session_id,
    reading.benchmark_id,
    reading.started_at,
    item.phase,
    coalesce(item.pass, 'time'),
    item.metric,
    item.unit,
    item.better,
    coalesce(item.provenance, 'measured'),
    item.method,
    reading.valid AND coalesce(item.valid, TRUE) AND missing.reason IS NULL
    AND coalesce(quantile[2], item.summary.median, item.value) IS NOT NULL,
    coalesce(
        item.reason,
        missing.reason,
        CASE
            WHEN NOT reading.valid THEN reading.invalid
            WHEN item.sampled AND statistic.n IS NULL THEN 'no rounds'
        END
    ),
    CASE
        WHEN item.summary.n IS NOT NULL THEN item.summary.n
        WHEN statistic.n IS NOT NULL THEN statistic.n
        WHEN item.value IS NOT NULL THEN 1
    END,
    coalesce(statistic.min, item.summary.min),
    coalesce(statistic.max, item.summary.max),
    coalesce(statistic.mean, item.summary.mean),
    coalesce(quantile[2], item.summary.median),
    coalesce(statistic.stddev, item.summary.stddev),
    coalesce(quantile[1], item.summary.q1),
    coalesce(quantile[3], item.summary.q3),
    coalesce(quantile[4], item.summary.p90),
    coalesce(quantile[5], item.summary.p95),
    coalesce(quantile[6], item.summary.p99),
    statistic.outliers,
    coalesce(quantile[2], item.summary.median, item.value),
    item.device_id,
    item.rank,
    item.domain,
    item.scope,
    item.window_s,
    item.tick_s,
    item.details
FROM reading
LEFT JOIN statistic ON statistic.measurement_id = reading.measurement_id
LEFT JOIN (
    SELECT
        reading.measurement_id,
        'rounds are missing: the journal was damaged' AS reason
    FROM reading
    LEFT JOIN statistic ON statistic.measurement_id = reading.measurement_id
    WHERE
        reading.item.sampled
        AND (
            reading.item.n <> coalesce(statistic.n, 0)
            OR (
                $damaged
                AND NOT (coalesce(statistic.whole, FALSE) AND coalesce(statistic.n = reading.rounds, TRUE))
            )
        )
) AS missing ON missing.measurement_id = reading.measurement_id;

INSERT INTO measurement BY NAME
SELECT
    uuidv7() AS measurement_id,
    finished.run_id,
    finished.session_id,
    finished.benchmark_id,
    finished.started_at,
    'time' AS pass,
    kind.metric,
    kind.unit,
    kind.better,
    'measured' AS provenance,
    kind.method,
    coalesce(finished.valid, FALSE) AND finished.boundary[kind.place] IS NOT NULL AS valid,
    CASE
        WHEN finished.boundary[kind.place] IS NULL
            THEN coalesce(element_at(opening.unmeasured, kind.metric)[1], 'not measured')
        WHEN NOT coalesce(finished.valid, FALSE) THEN finished.invalid
    END AS reason,
    CASE WHEN finished.boundary[kind.place] IS NOT NULL THEN 1 END AS n,
    finished.boundary[kind.place] AS value
FROM finished
CROSS JOIN (
    VALUES
    (1, 'block_wall_time', 's', 'none', 'perf_counter'),
    (2, 'block_cpu_time', 's', 'none', 'process_time'),
    (3, 'block_thread_time', 's', 'none', 'thread_time'),
    (4, 'peak_rss', 'B', 'lower', 'high-water mark of the resident set'),
    (5, 'rss_start', 'B', 'none', 'resident set'),
    (6, 'minor_faults', '1', 'none', 'getrusage'),
    (7, 'major_faults', '1', 'none', 'getrusage'),
    (8, 'voluntary_switches', '1', 'none', 'getrusage'),
    (9, 'involuntary_switches', '1', 'none', 'getrusage'),
    (10, 'steal_time', 's', 'none', '/proc/stat')
) AS kind (place, metric, unit, better, method)
LEFT JOIN (SELECT DISTINCT ON (session_id) session_id, unmeasured FROM line WHERE k = 'session') AS opening
    ON opening.session_id = finished.session_id
WHERE finished.boundary IS NOT NULL
UNION ALL
SELECT
    uuidv7(),
    finished.run_id,
    finished.session_id,
    finished.benchmark_id,
    finished.started_at,
    'time',
    'cpu_time',
    's',
    'lower',
    'measured',
    'process_time',
    coalesce(finished.valid, FALSE),
    CASE WHEN NOT coalesce(finished.valid, FALSE) THEN finished.invalid END,
    1,
    finished.boundary[2]
FROM finished
WHERE
    finished.boundary[2] IS NOT NULL
    AND finished.calls = 1 -- of many calls, the time of their runner would be taken for theirs
    AND NOT EXISTS (
        SELECT 1
        FROM reading
        WHERE reading.run_id = finished.run_id AND reading.item.metric = 'cpu_time' AND reading.item.phase IS NULL
    )
