-- statistics that differ from those of the rounds
SELECT
    'measurement ' || measurement.measurement_id || ' (' || measurement.metric || '): median '
    || measurement.median || ', of its rounds ' || again.median AS problem
FROM measurement
INNER JOIN (
    SELECT
        measurement_id,
        session_id,
        count(value) AS n,
        min(value) AS min,
        max(value) AS max,
        favg(value) AS mean,
        quantile_cont(value, 0.25) AS q1,
        quantile_cont(value, 0.5) AS median,
        quantile_cont(value, 0.75) AS q3,
        quantile_cont(value, 0.99) AS p99
    FROM (SELECT measurement_id, session_id, unnest(samples) AS value FROM samples)
    GROUP BY measurement_id, session_id
) AS again
    ON again.measurement_id = measurement.measurement_id AND again.session_id = measurement.session_id
WHERE
    again.n IS DISTINCT FROM measurement.n
    OR again.min IS DISTINCT FROM measurement.min
    OR again.max IS DISTINCT FROM measurement.max
    OR again.q1 IS DISTINCT FROM measurement.q1
    OR again.median IS DISTINCT FROM measurement.median
    OR again.q3 IS DISTINCT FROM measurement.q3
    OR again.p99 IS DISTINCT FROM measurement.p99
    -- The order of a sum depends on the threads.
    OR NOT abs(again.mean - measurement.mean) <= 1e-9 * abs(again.mean)
    OR measurement.value IS DISTINCT FROM measurement.median
