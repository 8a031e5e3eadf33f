-- One row per environment with the sessions that ran in it, latest first.
SELECT
    environment.* REPLACE (
        CAST(environment.environment_id AS VARCHAR) AS environment_id,
        CAST(environment.fingerprint AS VARCHAR) AS fingerprint
    ),
    coalesce(used.sessions, 0) AS sessions,
    strftime(used.first_seen_at, '%Y-%m-%dT%H:%M:%S.%f') AS first_seen_at,
    strftime(used.last_seen_at, '%Y-%m-%dT%H:%M:%S.%f') AS last_seen_at
FROM environment
LEFT JOIN (
    SELECT
        environment_id,
        count(*) AS sessions,
        min(started_at) AS first_seen_at,
        max(started_at) AS last_seen_at
    FROM session
    GROUP BY environment_id
) AS used ON used.environment_id = environment.environment_id
WHERE $environment_id IS NULL OR environment.environment_id = TRY_CAST($environment_id AS UUID)
ORDER BY used.last_seen_at DESC NULLS LAST, environment.environment_id
