-- The tests that a session died in become runs that crashed.
INSERT INTO line BY NAME
SELECT
    * REPLACE (
        'run' AS k,
        'crashed' AS outcome,
        'the process died while this test ran' AS reason,
        FALSE AS valid,
        'the process died while this test ran' AS invalid
    )
FROM line
WHERE k = 'begin' AND run_id NOT IN (SELECT run_id FROM line WHERE k = 'run' AND run_id IS NOT NULL)
