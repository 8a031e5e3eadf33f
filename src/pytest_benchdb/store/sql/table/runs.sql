-- The runs of the new sessions, as lines of a journal; `name` lines have the benchmark and the device of each.
INSERT INTO line BY NAME
WITH entry_item AS (
    SELECT
        place.session,
        place.run,
        place.metrics,
        grouped.first_line,
        struct_pack(
            id := grouped.measurement_id,
            metric := metric_name.metric_name,
            unit := metric_name.unit,
            better := metric_name.better,
            pass := CAST(NULL AS VARCHAR),
            phase := CAST(NULL AS VARCHAR),
            provenance := 'imported',
            method := CAST(NULL AS VARCHAR),
            valid := CAST(NULL AS BOOLEAN),
            reason := CAST(NULL AS VARCHAR),
            value := CASE WHEN grouped.samples IS NULL THEN grouped.lowest END,
            sampled := grouped.samples IS NOT NULL,
            keep := TRUE,
            device_id := CAST(NULL AS UUID),
            rank := CAST(NULL AS INTEGER),
            domain := CAST(NULL AS VARCHAR),
            scope := CAST(NULL AS VARCHAR),
            window_s := CAST(NULL AS DOUBLE),
            tick_s := CAST(NULL AS DOUBLE),
            details := CAST(NULL AS JSON),
            summary := CAST(
                NULL AS STRUCT(
                    n BIGINT,
                    "min" DOUBLE,
                    "max" DOUBLE,
                    mean DOUBLE,
                    median DOUBLE,
                    stddev DOUBLE,
                    q1 DOUBLE,
                    q3 DOUBLE,
                    p90 DOUBLE,
                    p95 DOUBLE,
                    p99 DOUBLE
                )
            )
        ) AS item
    FROM grouped
    INNER JOIN place ON place.session = grouped.session AND place.run = grouped.run
    INNER JOIN metric_name ON metric_name.metric = grouped.metric
),

-- Apart, because sorting within groups takes ten times as long as everything else.
items AS (
    SELECT
        session,
        run,
        [item] AS measurements
    FROM entry_item
    WHERE metrics = 1
    UNION ALL
    SELECT
        session,
        run,
        list(item ORDER BY first_line) AS measurements
    FROM entry_item
    WHERE metrics > 1
    GROUP BY session, run
)

SELECT
    'run' AS k,
    stored.session_id,
    CAST(
        substr(stored.milliseconds, 1, 8) || '-' || substr(stored.milliseconds, 9, 4) || '-7'
        || substr(printf('%08x', place.place), 1, 3) || '-8' || substr(printf('%08x', place.place), 4, 3) || '-'
        || substr(printf('%08x', place.place), 7, 2) || substr(md5(CAST(stored.session_id AS VARCHAR)), 1, 10)
        AS UUID
    ) AS run_id,
    name.device_id,
    stored.started_us,
    'passed' AS outcome,
    TRUE AS valid,
    'imported' AS provenance,
    place.rounds,
    name.benchmark,
    items.measurements
FROM place
INNER JOIN stored ON stored.session = place.session
INNER JOIN line AS name ON name.k = 'name' AND name.calls = place.run
INNER JOIN items ON items.session = place.session AND items.run = place.run
