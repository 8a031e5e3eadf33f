-- One row per metric: the extremes of its valid measurements, and whether any of their statistics may contradict each
-- other. It is planned in a quarter of the time of `impossible.sql`, which is needed only if a row here is suspect.
SELECT
    metric,
    unit,
    better,
    min(lowest) AS lowest,
    max(highest) AS highest,
    min(middle) AS middle,
    max(total) AS total,
    bool_or(in_parts) AS in_parts,
    bool_or(contradicts) AS contradicts
FROM (
    SELECT
        metric,
        unit,
        better,
        least(min, q1, median, q3, p90, p95, p99, max, mean, value) AS lowest,
        greatest(min, q1, median, q3, p90, p95, p99, max, mean, value, stddev) AS highest,
        least(median, mean, value) AS middle,
        n * min AS total,
        min <> floor(min) OR max <> floor(max) OR n = 1 AND value <> floor(value) AS in_parts,
        n < 1 OR value <> median OR stddev < 0
        OR n = 1 AND (stddev > 0 OR max > min)
        OR stddev > max - min
        OR min > least(q1, median, q3, p90, p95, p99, max, mean)
        OR q1 > least(median, q3, p90, p95, p99, max)
        OR median > least(q3, p90, p95, p99, max)
        OR q3 > least(p90, p95, p99, max)
        OR p90 > least(p95, p99, max)
        OR p95 > least(p99, max)
        OR p99 > max
        OR mean > max AS contradicts
    FROM $tables.measurement
    WHERE valid AND ($sessions IS NULL OR session_id IN (SELECT unnest(CAST($sessions AS UUID[]))))
)
GROUP BY metric, unit, better
