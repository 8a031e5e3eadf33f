-- What was noticed while functions were timed: why a result may differ next time, and remarks about the function.
-- Rounds of other tools were not looked at then, so their quartiles decide; as in `measure.timing.stability`.
WITH timed AS (
    SELECT
        benchmark.name,
        measurement.started_at,
        measurement.phase,
        coalesce(
            json_extract_string(measurement.details, '$.unstable'),
            CASE
                WHEN
                    json_extract(measurement.details, '$.gc') IS NULL AND measurement.n >= 10
                    AND measurement.q3 - measurement.q1 > 0.25 * measurement.value
                    THEN
                        'the middle half of its rounds spans '
                        || CAST(round(100 * (measurement.q3 - measurement.q1) / measurement.value) AS INTEGER)
                        || ' % of the median'
            END
        ) AS unstable,
        coalesce(CAST(json_extract_string(measurement.details, '$.notes[*]') AS VARCHAR[]), []) AS notes
    FROM measurement
    INNER JOIN benchmark ON benchmark.benchmark_id = measurement.benchmark_id
    WHERE
        measurement.session_id = CAST($session_id AS UUID) AND measurement.metric = 'wall_time'
        AND measurement.pass = 'time' AND measurement.valid
)

SELECT
    name,
    unstable,
    notes
FROM timed
WHERE unstable IS NOT NULL OR len(notes) > 0
ORDER BY started_at, name, phase
