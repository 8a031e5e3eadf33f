-- One row per accepted change, oldest first; expired ones too.
SELECT
    CAST(acceptance_id AS VARCHAR) AS acceptance_id,
    CAST(benchmark_id AS VARCHAR) AS benchmark_id,
    pattern,
    metric,
    CAST(fingerprint AS VARCHAR) AS fingerprint,
    CAST(since_session_id AS VARCHAR) AS since_session_id,
    reason,
    author,
    strftime(created_at, '%Y-%m-%dT%H:%M:%S.%f') AS created_at,
    strftime(expires_at, '%Y-%m-%dT%H:%M:%S.%f') AS expires_at
FROM acceptance
ORDER BY acceptance.created_at, acceptance.acceptance_id
