-- One row per session, oldest first, as `model.report.SessionRow` holds it; a backfilled one is as old as its commit.
SELECT
    CAST(session.session_id AS VARCHAR) AS session_id,
    session.project,
    session.kind,
    strftime(session.started_at, '%Y-%m-%dT%H:%M:%S.%f') AS started_at,
    strftime(session.finished_at, '%Y-%m-%dT%H:%M:%S.%f') AS finished_at,
    session.outcome,
    session.complete,
    session.label,
    coalesce(session.tags, MAP {}) AS tags,
    session.note,
    session.tool,
    session.tool_version,
    session.commit_sha,
    strftime(session.commit_at, '%Y-%m-%dT%H:%M:%S.%f') AS commit_at,
    session.commit_subject,
    session.merge_base,
    session.branch,
    session.dirty,
    session.remote_url,
    session.ci_provider,
    session.ci_url,
    session.pull_request,
    CAST(session.fingerprint AS VARCHAR) AS fingerprint,
    json_extract_string(environment.details, '$.machine_name') AS machine_name,
    environment.cpu_model,
    environment.cores,
    environment.threads,
    environment.ram_bytes,
    environment.os,
    environment.python,
    session.load_start,
    session.load_end,
    session.steal_s,
    session.contended,
    coalesce(counts.runs, 0) AS runs,
    coalesce(counts.not_passed, 0) AS not_passed,
    decision.reason AS excluded
FROM session
LEFT JOIN environment ON environment.environment_id = session.environment_id
LEFT JOIN (
    SELECT
        session_id,
        count(*) AS runs,
        count(*) FILTER (WHERE outcome NOT IN ('passed', 'skipped', 'xfailed')) AS not_passed
    FROM run
    GROUP BY session_id
) AS counts ON counts.session_id = session.session_id
LEFT JOIN (
    SELECT
        session_id,
        arg_max(reason, created_at) AS reason,
        arg_max(removed_at IS NULL, created_at) AS is_excluded
    FROM (
        SELECT
            unnest(session_ids) AS session_id,
            reason,
            created_at,
            removed_at
        FROM exclusion
    ) AS entry
    GROUP BY session_id
) AS decision ON decision.session_id = session.session_id AND decision.is_excluded
ORDER BY
    -- As `model.report.SessionRow.placed_at`.
    CASE
        WHEN map_contains(session.tags, 'backfill') AND session.commit_at < session.started_at THEN session.commit_at
        ELSE session.started_at
    END,
    session.session_id
