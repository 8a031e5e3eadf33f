-- One row per session that was excluded, with the last decision about it; oldest first.
SELECT
    CAST(session_id AS VARCHAR) AS session_id,
    CAST(exclusion_id AS VARCHAR) AS exclusion_id,
    spec,
    reason,
    author,
    strftime(created_at, '%Y-%m-%dT%H:%M:%S.%f') AS created_at,
    removed_at IS NULL AS excluded
FROM (SELECT exclusion.*, unnest(session_ids) AS session_id FROM exclusion) AS decision
QUALIFY row_number() OVER (PARTITION BY session_id ORDER BY decision.created_at DESC, decision.exclusion_id DESC) = 1
ORDER BY decision.created_at, decision.exclusion_id, decision.session_id
