-- Series of finished runs, in the order of the journal.
INSERT INTO series
SELECT
    finished.run_id,
    finished.session_id,
    chunk.device,
    chunk.phase,
    chunk.metric,
    chunk.unit,
    chunk.domain,
    chunk.provenance,
    chunk.i,
    chunk.t,
    chunk.v
FROM
    read_json(
        $journal,
        format = 'newline_delimited',
        compression = 'uncompressed',
        maximum_object_size = $longest_line,
        columns = {
            k: 'VARCHAR',
            run: 'UUID',
            device: 'UUID',
            phase: 'VARCHAR',
            metric: 'VARCHAR',
            unit: 'VARCHAR',
            domain: 'VARCHAR',
            provenance: 'VARCHAR',
            i: 'INTEGER',
            t: 'DOUBLE[]',
            v: 'DOUBLE[]'
        }
    ) AS chunk
INNER JOIN finished ON finished.run_id = chunk.run
WHERE chunk.k = 'series'
