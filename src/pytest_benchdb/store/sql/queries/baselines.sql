-- One row per pinned baseline in force: the newest of each name, unless it is a removal.
SELECT
    CAST(baseline_id AS VARCHAR) AS baseline_id,
    project,
    name,
    spec,
    CAST(session_id AS VARCHAR) AS session_id,
    strftime(created_at, '%Y-%m-%dT%H:%M:%S.%f') AS created_at
FROM (
    SELECT *
    FROM baseline
    QUALIFY row_number() OVER (PARTITION BY project, name ORDER BY created_at DESC, baseline_id DESC) = 1
)
WHERE removed_at IS NULL
ORDER BY project, name
