-- One row per run.
CREATE TEMP VIEW finished AS
SELECT
    *,
    benchmark.benchmark_id AS benchmark_id,
    make_timestamp(started_us) AS started_at
FROM line
WHERE k = 'run';

-- One row per measurement that a run line lists.
CREATE TEMP TABLE reading AS
SELECT
    run_id,
    session_id,
    benchmark_id,
    started_at,
    coalesce(iterations, 1) AS iterations,
    rounds,
    coalesce(valid, FALSE) AS valid,
    invalid,
    item.id AS measurement_id,
    item
FROM (SELECT *, unnest(measurements) AS item FROM finished)
