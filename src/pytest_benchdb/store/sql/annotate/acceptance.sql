-- An accepted change of level.
INSERT INTO acceptance BY NAME
SELECT
    CAST($acceptance_id AS UUID) AS acceptance_id,
    CAST($benchmark_id AS UUID) AS benchmark_id,
    CAST($pattern AS VARCHAR) AS pattern,
    CAST($metric AS VARCHAR) AS metric,
    CAST($fingerprint AS UUID) AS fingerprint,
    CAST($since_session_id AS UUID) AS since_session_id,
    $reason AS reason,
    CAST($author AS VARCHAR) AS author,
    CAST($created_at AS TIMESTAMP) AS created_at,
    CAST($expires_at AS TIMESTAMP) AS expires_at
