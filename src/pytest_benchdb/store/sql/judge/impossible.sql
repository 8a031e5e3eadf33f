-- Valid measurements that `model.metric` objects to, or that are not in the unit and direction of their metric.
WITH bounds AS (
    SELECT
        unnest($metrics) AS metric,
        unnest($units) AS unit,
        unnest($directions) AS better,
        unnest($least) AS least,
        unnest($most) AS most,
        unnest($takes_time) AS takes_time,
        unnest($whole) AS whole,
        unnest($is_time) AS is_time
),

figure AS (
    SELECT
        measurement.*,
        measurement.rowid AS place,
        bounds.metric IS NOT NULL
        AND (bounds.unit IS DISTINCT FROM measurement.unit OR bounds.better IS DISTINCT FROM measurement.better)
            AS is_other,
        bounds.least,
        bounds.most,
        coalesce(bounds.takes_time, FALSE) AS takes_time,
        coalesce(bounds.whole, FALSE) AS whole,
        coalesce(bounds.is_time, FALSE) AS is_time,
        least(min, q1, median, q3, p90, p95, p99, max, mean, value) AS lowest,
        greatest(min, q1, median, q3, p90, p95, p99, max, mean, value) AS highest
    FROM $tables.measurement AS measurement
    LEFT JOIN bounds ON bounds.metric = measurement.metric
    WHERE
        measurement.valid
        AND ($sessions IS NULL OR measurement.session_id IN (SELECT unnest(CAST($sessions AS UUID[]))))
),

bad_count AS (
    SELECT
        run_id,
        session_id
    FROM $tables.run
    WHERE iterations < 1 OR rounds < 0 OR warmup_rounds < 0 OR calls < 0
)

SELECT
    place,
    metric,
    unit,
    better,
    (run_id, session_id) IN (SELECT (run_id, session_id) FROM bad_count) AS has_bad_counts,
    n,
    min,
    max,
    mean,
    median,
    stddev,
    q1,
    q3,
    p90,
    p95,
    p99,
    value
FROM figure
WHERE
    is_other OR (run_id, session_id) IN (SELECT (run_id, session_id) FROM bad_count)
    -- NaN is greater than infinity.
    OR NOT isfinite(lowest) OR NOT isfinite(highest) OR NOT isfinite(stddev)
    OR lowest < least OR highest > most
    OR takes_time AND (median = 0 OR mean = 0 OR value = 0)
    OR whole AND (min <> floor(min) OR max <> floor(max) OR n = 1 AND value <> floor(value))
    OR n < 1 OR n = 1 AND (stddev > 0 OR max > min + $tolerance * abs(max))
    OR is_time AND n * min > $century
    OR value <> median
    OR stddev < 0 OR stddev > max - min + $tolerance * greatest(abs(min), abs(max))
    OR min > least(q1, median, q3, p90, p95, p99, max, mean) + $tolerance * abs(min)
    OR q1 > least(median, q3, p90, p95, p99, max) + $tolerance * abs(q1)
    OR median > least(q3, p90, p95, p99, max) + $tolerance * abs(median)
    OR q3 > least(p90, p95, p99, max) + $tolerance * abs(q3)
    OR p90 > least(p95, p99, max) + $tolerance * abs(p90)
    OR p95 > least(p99, max) + $tolerance * abs(p95)
    OR p99 > max + $tolerance * abs(p99)
    OR mean > max + $tolerance * abs(mean)
