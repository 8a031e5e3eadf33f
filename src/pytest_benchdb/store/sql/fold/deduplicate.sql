-- A run counts once, as its first line tells.
DELETE FROM line
WHERE k = 'run' AND rowid NOT IN (SELECT min(rowid) FROM line WHERE k = 'run' GROUP BY run_id)
