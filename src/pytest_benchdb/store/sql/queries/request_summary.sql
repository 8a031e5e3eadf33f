-- One row per part of a run that sent requests: how many, and their outcomes.
WITH event AS (
    SELECT *
    FROM request
    WHERE run_id = TRY_CAST($run_id AS UUID)
),

failure AS (
    SELECT
        phase,
        coalesce(error, 'no reason given') AS error,
        count(*) AS requests
    FROM event
    WHERE NOT ok
    GROUP BY ALL
)

SELECT
    event.phase,
    any_value(event.provenance) AS provenance,
    count(*) AS requests,
    count(*) FILTER (WHERE NOT event.ok) AS failed,
    count(*) FILTER (WHERE event.slo_ok IS NOT NULL) AS judged,
    count(*) FILTER (WHERE event.slo_ok) AS met,
    CASE
        WHEN bool_and(event.tokens_in IS NOT NULL) FILTER (WHERE event.ok)
            THEN sum(event.tokens_in) FILTER (WHERE event.ok)
    END AS tokens_in,
    CASE
        WHEN bool_and(event.tokens_out IS NOT NULL) FILTER (WHERE event.ok)
            THEN sum(event.tokens_out) FILTER (WHERE event.ok)
    END AS tokens_out,
    coalesce(
        (
            SELECT
                map_from_entries(list((failure.error, failure.requests) ORDER BY failure.requests DESC, failure.error))
            FROM failure
            WHERE failure.phase IS NOT DISTINCT FROM event.phase
        ),
        MAP {}
    ) AS errors
FROM event
GROUP BY event.phase
ORDER BY event.phase NULLS FIRST
