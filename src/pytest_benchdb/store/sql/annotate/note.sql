-- Free text about a session, a run or a benchmark.
INSERT INTO note BY NAME
SELECT
    CAST($note_id AS UUID) AS note_id,
    CAST($session_id AS UUID) AS session_id,
    CAST($run_id AS UUID) AS run_id,
    CAST($benchmark_id AS UUID) AS benchmark_id,
    CAST($author AS VARCHAR) AS author,
    CAST($created_at AS TIMESTAMP) AS created_at,
    $text AS text
