-- Requests of finished runs, in the order of the journal.
INSERT INTO request
SELECT
    finished.run_id,
    finished.session_id,
    event.i,
    event.phase,
    event.provenance,
    event.due,
    event.sent,
    event.chunks,
    event.tokens_in,
    event.tokens_out,
    event.ok,
    event.slo_ok,
    event.error
FROM
    read_json(
        $journal,
        format = 'newline_delimited',
        compression = 'uncompressed',
        maximum_object_size = $longest_line,
        columns = {
            k: 'VARCHAR',
            run: 'UUID',
            i: 'INTEGER',
            phase: 'VARCHAR',
            provenance: 'VARCHAR',
            due: 'DOUBLE',
            sent: 'DOUBLE',
            chunks: 'DOUBLE[]',
            tokens_in: 'BIGINT',
            tokens_out: 'BIGINT',
            ok: 'BOOLEAN',
            slo_ok: 'BOOLEAN',
            error: 'VARCHAR'
        }
    ) AS event
INNER JOIN finished ON finished.run_id = event.run
WHERE event.k = 'request'
