-- One row per attachment of a run, in the order they were taken.
SELECT
    CAST(attachment_id AS VARCHAR) AS attachment_id,
    name,
    media_type,
    checksum,
    size_bytes,
    strftime(created_at, '%Y-%m-%dT%H:%M:%S.%f') AS created_at
FROM attachment
WHERE run_id = TRY_CAST($run_id AS UUID)
ORDER BY attachment.created_at, attachment.attachment_id
