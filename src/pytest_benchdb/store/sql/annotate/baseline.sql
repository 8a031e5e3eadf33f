-- A named point of reference, or its removal.
INSERT INTO baseline BY NAME
SELECT
    CAST($baseline_id AS UUID) AS baseline_id,
    $project AS project,
    $name AS name,
    $spec AS spec,
    CAST($session_id AS UUID) AS session_id,
    CAST($created_at AS TIMESTAMP) AS created_at,
    CAST($removed_at AS TIMESTAMP) AS removed_at
