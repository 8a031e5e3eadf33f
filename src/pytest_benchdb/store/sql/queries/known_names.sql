-- One row per name that a user may type, at most 2,000 of each kind: benchmarks, metrics, labels, branches, tags and
-- baselines, those of the newest sessions first.
WITH named AS (
    SELECT
        'benchmark' AS kind,
        benchmark.fullname AS name,
        max(run.session_id) AS newest
    FROM run
    INNER JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
    GROUP BY benchmark.fullname
    UNION ALL
    SELECT
        'metric' AS kind,
        measurement.metric AS name,
        NULL AS newest
    FROM measurement
    WHERE measurement.value IS NOT NULL
    GROUP BY measurement.metric
    UNION ALL
    SELECT
        'label' AS kind,
        session.label AS name,
        max(session.session_id) AS newest
    FROM session
    GROUP BY session.label
    UNION ALL
    SELECT
        'branch' AS kind,
        session.branch AS name,
        max(session.session_id) AS newest
    FROM session
    GROUP BY session.branch
    UNION ALL
    SELECT
        'tag' AS kind,
        tag.name,
        max(tag.session_id) AS newest
    FROM (SELECT
        session.session_id,
        unnest(map_values(session.tags)) AS name
    FROM session) AS tag
    GROUP BY tag.name
    UNION ALL
    SELECT DISTINCT
        'baseline' AS kind,
        baseline.name,
        NULL AS newest
    FROM baseline
)

SELECT
    kind,
    name
FROM named
WHERE name IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY kind ORDER BY newest DESC NULLS LAST, name) <= 2000
ORDER BY kind, newest DESC NULLS LAST, name
