-- One JSON text: the first rows of the report, and the number of runs by outcome.
SELECT
    json_object(
        'rows',
        (
            SELECT coalesce(list(entry), [])
            FROM (
                SELECT
                    run_id,
                    session_id,
                    fullname,
                    name,
                    group_name AS "group",
                    backend,
                    device,
                    model,
                    model_version,
                    implementation,
                    precision,
                    batch_size,
                    outcome,
                    reason,
                    valid,
                    provenance,
                    attempt,
                    worker,
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
                    cpu_s,
                    peak_rss_bytes,
                    rounds,
                    iterations
                FROM report
                ORDER BY group_name NULLS FIRST, started_at, run_id
                LIMIT $limit
            ) AS entry
        ),
        'outcomes',
        (SELECT map_from_entries(list((outcome, runs) ORDER BY outcome)) FROM (SELECT outcome, count(*) AS runs FROM run GROUP BY outcome))
    )
