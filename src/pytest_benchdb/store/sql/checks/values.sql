-- impossible values
SELECT 'session ' || session_id || ' has the outcome ' || outcome AS problem
FROM session
WHERE outcome NOT IN ('passed', 'failed', 'interrupted', 'error', 'crashed', 'empty')
UNION ALL
SELECT 'run ' || run_id || ' has the outcome ' || outcome
FROM run
WHERE
    outcome NOT IN (
        'passed', 'failed', 'error', 'skipped', 'xfailed', 'xpassed', 'timeout', 'oom', 'crashed', 'unsupported'
    )
UNION ALL
SELECT 'measurement ' || measurement_id || ' (' || metric || ') has the provenance ' || provenance
FROM measurement
WHERE provenance NOT IN ('measured', 'imported', 'simulated', 'derived')
UNION ALL
SELECT 'measurement ' || measurement_id || ' (' || metric || ') is valid and has no value'
FROM measurement
WHERE valid AND value IS NULL
UNION ALL
SELECT 'measurement ' || measurement_id || ' (' || metric || ') has neither a value nor a reason'
FROM measurement
WHERE value IS NULL AND reason IS NULL AND mean IS NULL
UNION ALL
SELECT 'measurement ' || measurement_id || ' (' || metric || ') is not a finite number'
FROM measurement
WHERE isnan(value) OR isinf(value)
UNION ALL
SELECT 'metric ' || metric || ' has several units or directions'
FROM measurement
GROUP BY metric
HAVING count(DISTINCT unit) > 1 OR count(DISTINCT better) > 1
