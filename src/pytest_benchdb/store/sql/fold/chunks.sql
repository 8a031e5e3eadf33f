-- Rounds, in the order of the journal; chunks without their run line are left out.
INSERT INTO round_chunk
SELECT
    chunk.id,
    reading.session_id,
    reading.benchmark_id,
    reading.started_at,
    chunk.i,
    chunk.ns,
    chunk.v
FROM
    read_json(
        $journal,
        format = 'newline_delimited',
        compression = 'uncompressed',
        maximum_object_size = $longest_line,
        columns = {k: 'VARCHAR', id: 'UUID', i: 'INTEGER', ns: 'BIGINT[]', v: 'DOUBLE[]'}
    ) AS chunk
INNER JOIN reading ON reading.measurement_id = chunk.id
WHERE chunk.k = 'chunk'
