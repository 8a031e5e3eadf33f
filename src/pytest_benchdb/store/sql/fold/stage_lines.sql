-- One row per line of the journal that is not a chunk of rounds. A journal of several sessions names them in each line.
CREATE TEMP TABLE line AS
SELECT * REPLACE (coalesce(session_id, session.session_id, CAST($session_id AS UUID)) AS session_id)
FROM
    read_json(
        $journal,
        format = 'newline_delimited',
        compression = 'uncompressed',
        maximum_object_size = $longest_line,
        columns = {
            k: 'VARCHAR',
            session: 'STRUCT(session_id UUID, project VARCHAR, kind VARCHAR, started_us BIGINT, label VARCHAR, tags MAP(VARCHAR, VARCHAR), note VARCHAR, command VARCHAR, tool VARCHAR, tool_version VARCHAR, environment_id UUID, fingerprint UUID, commit_sha VARCHAR, branch VARCHAR, dirty BOOLEAN, commit_at VARCHAR, commit_subject VARCHAR, merge_base VARCHAR, remote_url VARCHAR, ci_provider VARCHAR, ci_url VARCHAR, pull_request VARCHAR, load_start DOUBLE, steal_start_s DOUBLE)',
            environment: 'STRUCT(environment_id UUID, fingerprint UUID, hostname_hash VARCHAR, os VARCHAR, kernel VARCHAR, cpu_model VARCHAR, cores INTEGER, threads INTEGER, ram_bytes BIGINT, virtualization VARCHAR, python VARCHAR, packages MAP(VARCHAR, VARCHAR), details JSON)',
            devices: 'STRUCT(device_id UUID, backend VARCHAR, name VARCHAR, uuid VARCHAR, memory_bytes BIGINT, driver VARCHAR, details JSON)[]',
            unmeasured: 'MAP(VARCHAR, VARCHAR)',
            source: 'STRUCT(id UUID, path VARCHAR, checksum VARCHAR, importer VARCHAR, row_count BIGINT, reason VARCHAR)',
            session_id: 'UUID',
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
            measurements: 'STRUCT(id UUID, metric VARCHAR, unit VARCHAR, better VARCHAR, pass VARCHAR, phase VARCHAR, provenance VARCHAR, method VARCHAR, valid BOOLEAN, reason VARCHAR, value DOUBLE, sampled BOOLEAN, n BIGINT, keep BOOLEAN, device_id UUID, rank INTEGER, domain VARCHAR, scope VARCHAR, window_s DOUBLE, tick_s DOUBLE, details JSON, summary STRUCT(n BIGINT, min DOUBLE, max DOUBLE, mean DOUBLE, median DOUBLE, stddev DOUBLE, q1 DOUBLE, q3 DOUBLE, p90 DOUBLE, p95 DOUBLE, p99 DOUBLE))[]',
            attachments: 'STRUCT(id UUID, name VARCHAR, media_type VARCHAR, checksum VARCHAR, size_bytes BIGINT, created_us BIGINT)[]',
            finished_us: 'BIGINT',
            exit_status: 'INTEGER',
            complete: 'BOOLEAN',
            load_end: 'DOUBLE',
            steal_s: 'DOUBLE',
            contended: 'BOOLEAN',
            lost: 'BIGINT',
            with_series: 'BOOLEAN',
            with_requests: 'BOOLEAN'
        }
    )
WHERE k NOT IN ('chunk', 'series', 'request');

-- Which of the next statements are needed.
SELECT
    bool_or(k IN ('end', 'full')) AS ended,
    count(run_id) FILTER (WHERE k = 'run') > count(DISTINCT run_id) FILTER (WHERE k = 'run') AS repeated,
    bool_or(labels IS NOT NULL) AS labelled,
    bool_or(with_series) AS with_series,
    bool_or(with_requests) AS with_requests,
    bool_or(attachments IS NOT NULL) AS with_attachments,
    bool_or(source IS NOT NULL) AS imported,
    bool_or(list_bool_or(list_transform(measurements, LAMBDA item: coalesce(item.sampled, FALSE)))) AS sampled
FROM line
