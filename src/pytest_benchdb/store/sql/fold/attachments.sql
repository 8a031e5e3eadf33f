-- Attachments of finished runs.
INSERT INTO attachment
SELECT
    file.id,
    session_id,
    run_id,
    file.name,
    file.media_type,
    file.checksum,
    file.size_bytes,
    make_timestamp(file.created_us)
FROM (SELECT run_id, session_id, unnest(attachments) AS file FROM finished)
