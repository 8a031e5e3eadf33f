-- One row per session that pytest or `benchdb run` recorded, with its command line.
SELECT
    CAST(session_id AS VARCHAR) AS session_id,
    command
FROM session
WHERE
    (kind = 'pytest' OR (kind = 'api' AND command LIKE 'benchdb run %'))
    AND session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
