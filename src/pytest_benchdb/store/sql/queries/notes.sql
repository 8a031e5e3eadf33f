-- One row per note about a session, a run or a benchmark, oldest first.
SELECT
    CAST(session_id AS VARCHAR) AS session_id,
    CAST(run_id AS VARCHAR) AS run_id,
    CAST(benchmark_id AS VARCHAR) AS benchmark_id,
    author,
    strftime(created_at, '%Y-%m-%dT%H:%M:%S.%f') AS created_at,
    text
FROM note
WHERE $session_id IS NULL OR session_id = TRY_CAST($session_id AS UUID)
ORDER BY note.created_at, note_id
