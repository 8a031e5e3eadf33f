-- One row per series of a run or of sessions: its values together, and their means in $bins equal spans of its time, by
-- the number of the span.
WITH point AS (
    SELECT
        run_id,
        phase,
        metric,
        unit,
        domain,
        device_id,
        provenance,
        unnest(t_s) AS t_s,
        unnest(value) AS value
    FROM series
    WHERE
        ($run_id IS NULL OR run_id = TRY_CAST($run_id AS UUID))
        AND ($session_ids IS NULL OR session_id IN (SELECT unnest(CAST($session_ids AS UUID[]))))
),

span AS (
    SELECT
        run_id,
        phase,
        metric,
        unit,
        domain,
        device_id,
        provenance,
        count(value) AS n,
        min(value) AS min,
        avg(value) AS mean,
        max(value) AS max,
        min(t_s) AS begin_s,
        max(t_s) AS end_s
    FROM point
    GROUP BY ALL
),

bin AS (
    SELECT
        span.*,
        CASE
            WHEN end_s > begin_s
                THEN least(CAST(floor((point.t_s - begin_s) / (end_s - begin_s) * $bins) AS INTEGER), $bins - 1)
            ELSE 0
        END AS place,
        avg(point.value) AS value
    FROM span
    INNER JOIN point
        ON point.run_id = span.run_id AND point.metric = span.metric AND point.unit = span.unit
        AND point.provenance = span.provenance
        AND point.phase IS NOT DISTINCT FROM span.phase AND point.domain IS NOT DISTINCT FROM span.domain
        AND point.device_id IS NOT DISTINCT FROM span.device_id
    GROUP BY ALL
)

SELECT
    CAST(run_id AS VARCHAR) AS run_id,
    phase,
    metric,
    unit,
    domain,
    CAST(device_id AS VARCHAR) AS device_id,
    provenance,
    n,
    min,
    mean,
    max,
    begin_s,
    end_s,
    map_from_entries(list((place, value) ORDER BY place)) AS means
FROM bin
GROUP BY ALL
ORDER BY run_id, bin.phase NULLS FIRST, bin.metric, bin.domain, device_id
