-- Rounds, by their number or in the order of the file.
INSERT INTO round_chunk
SELECT
    reading.measurement_id,
    reading.session_id,
    reading.benchmark_id,
    reading.started_at,
    part.chunk,
    NULL,
    list_slice(part.samples, part.chunk * $chunk_rounds + 1, (part.chunk + 1) * $chunk_rounds)
FROM (
    SELECT
        measurement_id,
        samples,
        CAST(unnest(range(CAST(ceil(n / $chunk_rounds) AS BIGINT))) AS INTEGER) AS chunk
    FROM grouped
    WHERE samples IS NOT NULL
) AS part
INNER JOIN reading ON reading.measurement_id = part.measurement_id
