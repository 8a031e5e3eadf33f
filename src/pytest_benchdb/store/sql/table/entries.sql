-- The rows with the numbers of their session, run and metric, and the value in the SI unit; NULL where a cell is not as
-- simple as the rules here, which are stricter than those for single rows.
CREATE TEMP TABLE entry AS
SELECT
    cell.line,
    session_name.session,
    series_name.run,
    series_name.metric,
    moment.us,
    CASE
        WHEN regexp_full_match(trim(cell.value), '[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?')
            THEN TRY_CAST(trim(cell.value) AS DOUBLE) / series_name.divisor * series_name.factor + series_name.offset
    END AS value,
    series_name.least,
    series_name.most,
    series_name.positive,
    series_name.whole,
    TRY_CAST(cell.round AS BIGINT) AS round,
    cell.round IS NULL OR regexp_full_match(cell.round, '\d{1,18}') AS round_is_valid
FROM cell
LEFT JOIN session_name
    ON session_name.raw_session IS NOT DISTINCT FROM cell.session
    AND session_name.raw_commit IS NOT DISTINCT FROM cell.commit
    AND session_name.raw_branch IS NOT DISTINCT FROM cell.branch
    AND session_name.raw_fingerprint IS NOT DISTINCT FROM cell.fingerprint
LEFT JOIN series_name
    ON series_name.raw_benchmark IS NOT DISTINCT FROM cell.benchmark
    AND series_name.raw_params IS NOT DISTINCT FROM cell.params
    AND series_name.raw_backend IS NOT DISTINCT FROM cell.backend
    AND series_name.raw_metric IS NOT DISTINCT FROM cell.metric
    AND series_name.raw_unit IS NOT DISTINCT FROM cell.unit
    AND series_name.raw_better IS NOT DISTINCT FROM cell.better
LEFT JOIN moment ON moment.raw_started_at = cell.started_at;

-- One row per measurement: one metric of one run of one session.
CREATE TEMP TABLE grouped AS
SELECT
    uuidv7() AS measurement_id,
    session,
    run,
    metric,
    min(line) AS first_line,
    count(*) AS n,
    count(round) AS numbered,
    count(DISTINCT round) AS rounds,
    min(us) AS started_us,
    min(value) AS lowest,
    max(value) AS highest,
    CASE WHEN count(*) > 1 OR count(round) > 0 THEN list(value ORDER BY round, line) END AS samples
FROM entry
GROUP BY session, run, metric;

-- One row per run, with its place in its session.
CREATE TEMP TABLE place AS
SELECT
    session,
    run,
    CAST(row_number() OVER (PARTITION BY session ORDER BY min(first_line)) - 1 AS INTEGER) AS place,
    count(*) AS metrics,
    max(n) AS rounds,
    min(started_us) AS started_us,
    sum(n) AS rows
FROM grouped
GROUP BY session, run;

-- Whether everything is as simple as these rules.
SELECT
    (
        SELECT
            bool_and(
                session IS NOT NULL AND run IS NOT NULL AND us IS NOT NULL AND round_is_valid AND value IS NOT NULL
                AND isfinite(value) AND coalesce(value >= least, TRUE) AND coalesce(value <= most, TRUE)
                AND (value > 0 OR NOT positive) AND (NOT whole OR value = floor(value))
            )
        FROM entry
    )
    AND (SELECT bool_and(numbered = 0 OR (numbered = n AND rounds = n)) FROM grouped)
