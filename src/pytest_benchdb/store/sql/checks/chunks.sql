-- rounds that are missing, too many, or both whole nanoseconds and values
SELECT
    'measurement ' || measurement.measurement_id || ' should have ' || measurement.n || ' rounds and has ' || stored.rounds
    || ' in ' || stored.chunks || ' chunks' AS problem
FROM measurement
INNER JOIN (
    SELECT
        measurement_id,
        session_id,
        count(*) AS chunks,
        max(chunk) AS last_chunk,
        sum(coalesce(len(round_ns), len(value))) AS rounds,
        max(coalesce(len(round_ns), len(value))) AS longest,
        bool_or((round_ns IS NULL) = (value IS NULL)) AS mixed
    FROM round_chunk
    GROUP BY measurement_id, session_id
) AS stored
    ON stored.measurement_id = measurement.measurement_id AND stored.session_id = measurement.session_id
WHERE
    measurement.reason IS NULL
    AND (
        stored.rounds IS DISTINCT FROM measurement.n
        OR stored.last_chunk + 1 <> stored.chunks
        OR stored.longest > 1024
        OR stored.mixed
    )
