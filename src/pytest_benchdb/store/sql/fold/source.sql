-- The files that imported sessions came from.
INSERT INTO source_file
SELECT DISTINCT ON (source.id)
    source.id,
    session_id,
    source.path,
    source.checksum,
    source.importer,
    source.row_count,
    source.reason,
    CAST(now() AT TIME ZONE 'UTC' AS TIMESTAMP)
FROM line
WHERE k = 'session' AND source.id IS NOT NULL
