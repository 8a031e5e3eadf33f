-- One row per measurement with rounds: its statistics, per iteration. Bucket by bucket, because exact quantiles keep
-- their input in memory.
CREATE TEMP TABLE IF NOT EXISTS statistic (
    measurement_id UUID,
    n BIGINT,
    min DOUBLE,
    max DOUBLE,
    mean DOUBLE,
    stddev DOUBLE,
    quantile DOUBLE[],
    whole BOOLEAN,
    outliers BIGINT
);
INSERT INTO statistic
WITH rounds AS (
    SELECT
        round_chunk.measurement_id,
        round_chunk.chunk,
        coalesce(
            list_transform(round_chunk.round_ns, LAMBDA ns: ns / 1e9 / reading.iterations), round_chunk.value
        ) AS value
    FROM round_chunk
    INNER JOIN reading ON reading.measurement_id = round_chunk.measurement_id
    WHERE $buckets = 1 OR hash(round_chunk.measurement_id) % $buckets = $bucket
),

summary AS (
    SELECT
        measurement_id,
        count(value) AS n,
        min(value) AS min,
        max(value) AS max,
        favg(value) AS mean,
        -- DuckDB 1 fails where the squares are out of range, as of rounds with no iterations.
        CASE
            WHEN count(value) > 1 AND bool_and(abs(value) < 1e150)
                THEN stddev_samp(value) FILTER (WHERE abs(value) < 1e150)
        END AS stddev,
        quantile_cont(value, [0.25, 0.5, 0.75, 0.9, 0.95, 0.99]) AS quantile
    FROM (SELECT measurement_id, unnest(value) AS value FROM rounds)
    GROUP BY measurement_id
)

SELECT
    summary.*,
    chunks.whole,
    chunks.outliers
FROM summary
INNER JOIN (
    SELECT
        rounds.measurement_id,
        max(rounds.chunk) + 1 = count(*) AS whole,
        sum(
            len(
                list_filter(
                    rounds.value,
                    LAMBDA x:
                    x < summary.quantile[1] - 1.5 * (summary.quantile[3] - summary.quantile[1])
                    OR x > summary.quantile[3] + 1.5 * (summary.quantile[3] - summary.quantile[1])
                )
            )
        ) AS outliers
    FROM rounds
    INNER JOIN summary ON summary.measurement_id = rounds.measurement_id
    GROUP BY rounds.measurement_id
) AS chunks ON chunks.measurement_id = summary.measurement_id
