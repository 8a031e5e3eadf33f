-- Sessions that are not part of the history, or are again.
INSERT INTO exclusion BY NAME
SELECT
    CAST($exclusion_id AS UUID) AS exclusion_id,
    CAST($session_ids AS UUID[]) AS session_ids,
    $spec AS spec,
    $reason AS reason,
    CAST($author AS VARCHAR) AS author,
    CAST($created_at AS TIMESTAMP) AS created_at,
    CAST($removed_at AS TIMESTAMP) AS removed_at
