-- One row per line of the journal that is no chunk of rounds.
CREATE TEMP TABLE line AS
SELECT * EXCLUDE (k), k AS kind
FROM
    read_json(
        $journal,
        format = 'newline_delimited',
        compression = 'uncompressed',
        maximum_object_size = $longest_line,
        columns = {
            k: 'VARCHAR',
            session: 'STRUCT(session_id UUID, project VARCHAR, kind VARCHAR, started_us BIGINT, label VARCHAR, tags MAP(VARCHAR, VARCHAR), note VARCHAR, command VARCHAR, tool VARCHAR, tool_version VARCHAR, environment_id UUID, fingerprint UUID, commit_sha VARCHAR, branch VARCHAR, dirty BOOLEAN, commit_at VARCHAR, merge_base VARCHAR, remote_url VARCHAR, ci_provider VARCHAR, ci_url VARCHAR, pull_request VARCHAR, load_start DOUBLE, steal_start_s DOUBLE)',
            environment: 'STRUCT(environment_id UUID, fingerprint UUID, hostname_hash VARCHAR, os VARCHAR, kernel VARCHAR, cpu_model VARCHAR, cores INTEGER, threads INTEGER, ram_bytes BIGINT, virtualization VARCHAR, python VARCHAR, packages MAP(VARCHAR, VARCHAR), details JSON)',
            devices: 'STRUCT(device_id UUID, backend VARCHAR, name VARCHAR, uuid VARCHAR, memory_bytes BIGINT, driver VARCHAR, details JSON)[]',
            unmeasured: 'MAP(VARCHAR, VARCHAR)',
            run_id: 'UUID',
            device_id: 'UUID',
            started_us: 'BIGINT',
            duration_s: 'DOUBLE',
            outcome: 'VARCHAR',
            reason: 'VARCHAR',
            attempt: 'INTEGER',
            worker: 'VARCHAR',
            parallel: 'BOOLEAN',
            iterations: 'BIGINT',
            rounds: 'BIGINT',
            warmup_rounds: 'BIGINT',
            calls: 'BIGINT',
            timer: 'VARCHAR',
            sync_mode: 'VARCHAR',
            cache_mode: 'VARCHAR',
            provenance: 'VARCHAR',
            result_count: 'BIGINT',
            valid: 'BOOLEAN',
            invalid: 'VARCHAR',
            extra_info: 'JSON',
            benchmark: 'STRUCT(benchmark_id UUID, project VARCHAR, fullname VARCHAR, file VARCHAR, class_name VARCHAR, function VARCHAR, name VARCHAR, group_name VARCHAR, params JSON, param_id VARCHAR, code_hash VARCHAR)',
            labels: 'STRUCT(model VARCHAR, version VARCHAR, framework VARCHAR, framework_version VARCHAR, use_case VARCHAR, implementation VARCHAR, workload VARCHAR, precision VARCHAR, batch_size BIGINT, sequence_length BIGINT, model_id UUID, model_version_id UUID, framework_id UUID)',
            boundary: 'DOUBLE[]',
            measurements: 'STRUCT(id UUID, metric VARCHAR, unit VARCHAR, better VARCHAR, pass VARCHAR, phase VARCHAR, provenance VARCHAR, method VARCHAR, valid BOOLEAN, reason VARCHAR, value DOUBLE, sampled BOOLEAN, keep BOOLEAN, summary STRUCT(n BIGINT, min DOUBLE, max DOUBLE, mean DOUBLE, median DOUBLE, stddev DOUBLE, q1 DOUBLE, q3 DOUBLE))[]',
            finished_us: 'BIGINT',
            exit_status: 'INTEGER',
            complete: 'BOOLEAN',
            load_end: 'DOUBLE',
            steal_s: 'DOUBLE',
            contended: 'BOOLEAN'
        }
    )
WHERE k <> 'chunk';

-- One row per run: those that finished, and the tests that a session died in.
CREATE TEMP TABLE finished AS
SELECT
    line.* EXCLUDE (session, environment, devices, unmeasured, complete, exit_status, load_end, steal_s, contended, finished_us),
    line.benchmark.benchmark_id AS benchmark_id,
    make_timestamp(line.started_us) AS started_at
FROM line
WHERE line.kind = 'run' AND line.run_id IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY line.run_id) = 1
UNION ALL
SELECT
    line.* EXCLUDE (session, environment, devices, unmeasured, complete, exit_status, load_end, steal_s, contended, finished_us)
    REPLACE ('crashed' AS outcome, 'the process died while this test ran' AS reason, FALSE AS valid),
    line.benchmark.benchmark_id AS benchmark_id,
    make_timestamp(line.started_us) AS started_at
FROM line
WHERE
    line.kind = 'begin'
    AND line.run_id NOT IN (SELECT run.run_id FROM line AS run WHERE run.kind = 'run' AND run.run_id IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM line AS closing WHERE closing.kind = 'end');

-- One row per measurement that a run line lists.
CREATE TEMP TABLE reading AS
SELECT
    run_id,
    benchmark_id,
    started_at,
    coalesce(iterations, 1) AS iterations,
    rounds,
    coalesce(valid, FALSE) AS valid,
    invalid,
    item.id AS measurement_id,
    item
FROM (SELECT *, unnest(measurements) AS item FROM finished)
