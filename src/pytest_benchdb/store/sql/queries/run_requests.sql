-- One row per part of a run of sessions that sent requests: its first $most requests, in the order they were sent.
WITH event AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY run_id, phase ORDER BY sent_s NULLS LAST, request) AS nth
    FROM request
    WHERE session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
)

SELECT
    CAST(run_id AS VARCHAR) AS run_id,
    phase,
    any_value(provenance) AS provenance,
    count(*) AS requests,
    list(request ORDER BY nth) FILTER (WHERE nth <= $most) AS numbers,
    list(sent_s ORDER BY nth) FILTER (WHERE nth <= $most) AS sent_s,
    list(CASE WHEN ok THEN chunk_s[1] - sent_s END ORDER BY nth) FILTER (WHERE nth <= $most) AS ttft_s,
    list(CASE WHEN ok THEN chunk_s[-1] - sent_s END ORDER BY nth) FILTER (WHERE nth <= $most) AS e2e_s,
    list(tokens_in ORDER BY nth) FILTER (WHERE nth <= $most) AS tokens_in,
    list(tokens_out ORDER BY nth) FILTER (WHERE nth <= $most) AS tokens_out,
    list(ok ORDER BY nth) FILTER (WHERE nth <= $most) AS ok,
    list(error ORDER BY nth) FILTER (WHERE nth <= $most) AS errors
FROM event
GROUP BY event.run_id, event.phase
ORDER BY event.run_id, event.phase NULLS FIRST
