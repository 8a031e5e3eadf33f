-- The imports of source files, by the checksum of their bytes: how many sessions each made, and whether everything of
-- it is stored.
SELECT
    source_file.checksum,
    count(DISTINCT session.session_id) AS sessions,
    bool_and(source_file.reason IS NULL AND session.session_id IS NOT NULL) AS whole
FROM source_file
LEFT JOIN session ON session.session_id = source_file.session_id
WHERE source_file.checksum IS NOT NULL AND source_file.importer <> 'pytest-benchdb'
GROUP BY source_file.checksum
