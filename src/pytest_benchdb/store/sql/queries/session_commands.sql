-- One row per session that pytest recorded, with its command line.
SELECT
    CAST(session_id AS VARCHAR) AS session_id,
    command
FROM session
WHERE
    kind = 'pytest'
    AND session_id IN (SELECT unnest(CAST($session_ids AS UUID[])))
