-- One row per run, as `model.report.ReportRow` holds it, in the order of reports.
SELECT
    CAST(report.run_id AS VARCHAR) AS run_id,
    CAST(report.session_id AS VARCHAR) AS session_id,
    fullname,
    name,
    group_name AS "group",
    backend,
    device,
    model,
    model_version,
    implementation,
    workload,
    precision,
    batch_size,
    sequence_length,
    framework,
    parameters.params,
    outcome,
    coalesce(reason, own_reason) AS reason,
    valid AND coalesce(own_valid, TRUE) AS valid,
    provenance,
    attempt,
    worker,
    main_metric,
    main_phase,
    min_s,
    max_s,
    mean_s,
    median_s,
    stddev_s,
    q1_s,
    q3_s,
    p95_s,
    p99_s,
    outliers,
    first_call_s,
    cpu_s,
    cpu_per_wall,
    throughput,
    conditions.flops_per_second,
    conditions.bytes_per_second,
    energy_j,
    energy_reason,
    memory_bytes,
    memory_metric,
    peak_rss_bytes,
    device_peak_bytes,
    conditions.clock_hz,
    conditions.throttled_share,
    rounds,
    iterations,
    own_metric,
    own_unit,
    own_value,
    own_min,
    own_max,
    own_n
FROM report
LEFT JOIN (SELECT benchmark_id, params FROM benchmark) AS parameters
    ON parameters.benchmark_id = report.benchmark_id
LEFT JOIN (
    SELECT
        session_id,
        run_id,
        started_at,
        phase,
        max(value) FILTER (WHERE metric = 'flops_per_second') AS flops_per_second,
        max(value) FILTER (WHERE metric = 'bytes_per_second') AS bytes_per_second,
        max(value) FILTER (WHERE metric = 'clock_frequency') AS clock_hz,
        max(value / window_s) FILTER (WHERE metric = 'throttle_time') AS throttled_share
    FROM measurement
    WHERE
        metric IN ('flops_per_second', 'bytes_per_second', 'clock_frequency', 'throttle_time')
        AND pass = 'time' AND rank IS NULL AND valid
        AND session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
    GROUP BY session_id, run_id, started_at, phase
) AS conditions
    ON conditions.session_id = report.session_id AND conditions.run_id = report.run_id
    AND conditions.started_at = report.started_at AND conditions.phase IS NOT DISTINCT FROM report.main_phase
-- What the part of the run that is timed needed itself: the first of `model.metric.MAIN_MEMORY` that it has.
LEFT JOIN (
    SELECT
        session_id,
        run_id,
        started_at,
        phase,
        metric AS memory_metric,
        value AS memory_bytes
    FROM measurement
    WHERE
        metric IN ('device_peak', 'native_peak', 'python_peak', 'command_peak', 'rss_growth')
        AND pass IN ('time', 'memory') AND rank IS NULL AND valid AND value IS NOT NULL
        AND session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
    QUALIFY row_number() OVER (
        PARTITION BY session_id, run_id, started_at, phase
        ORDER BY
            list_position(['device_peak', 'native_peak', 'python_peak', 'command_peak', 'rss_growth'], metric),
            pass DESC,
            value DESC
    ) = 1
) AS needed
    ON needed.session_id = report.session_id AND needed.run_id = report.run_id
    AND needed.started_at = report.started_at AND needed.phase IS NOT DISTINCT FROM report.main_phase
-- What a test without times measured: by a timer of its own, or one of the metrics that it recorded.
LEFT JOIN (
    SELECT
        session_id,
        run_id,
        started_at,
        metric AS own_metric,
        unit AS own_unit,
        valid AS own_valid,
        reason AS own_reason,
        CASE WHEN valid THEN value END AS own_value,
        CASE WHEN valid THEN min END AS own_min,
        CASE WHEN valid THEN max END AS own_max,
        CASE WHEN valid THEN n END AS own_n
    FROM measurement
    WHERE
        (metric = 'timer_value' OR method = 'recorded by the test') AND pass = 'time' AND rank IS NULL
        AND session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
    QUALIFY row_number() OVER (
        PARTITION BY session_id, run_id, started_at
        ORDER BY metric <> 'timer_value', phase IS NOT NULL, NOT valid, metric, phase
    ) = 1
) AS own
    ON report.main_metric IS NULL
    AND own.session_id = report.session_id AND own.run_id = report.run_id AND own.started_at = report.started_at
WHERE
    -- The bounds let row groups be skipped; ids of sessions grow with time.
    report.session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
    AND report.session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
ORDER BY report.session_id, group_name NULLS FIRST, report.started_at, report.run_id
LIMIT $limit
