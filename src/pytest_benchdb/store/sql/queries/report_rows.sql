-- One row per run, as `model.report.ReportRow` holds it, in the order of reports.
SELECT
    CAST(run_id AS VARCHAR) AS run_id,
    CAST(session_id AS VARCHAR) AS session_id,
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
    outcome,
    reason,
    valid,
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
    energy_j,
    peak_rss_bytes,
    device_peak_bytes,
    rounds,
    iterations
FROM report
WHERE
    -- The bounds let row groups be skipped; ids of sessions grow with time.
    session_id BETWEEN CAST($first_id AS UUID) AND CAST($last_id AS UUID)
    AND session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
ORDER BY report.session_id, group_name NULLS FIRST, started_at, report.run_id
LIMIT $limit
