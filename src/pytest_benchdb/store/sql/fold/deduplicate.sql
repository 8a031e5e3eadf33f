-- A run counts once, by its first line.
DELETE FROM line
WHERE k = 'run' AND rowid NOT IN (SELECT min(rowid) FROM line WHERE k = 'run' GROUP BY run_id)
