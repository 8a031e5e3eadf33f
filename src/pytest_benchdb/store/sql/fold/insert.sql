-- Every table but those with rounds, from the staged lines.
INSERT INTO session
SELECT
    opening.session_id,
    opening.session.project,
    opening.session.kind,
    make_timestamp(opening.session.started_us),
    make_timestamp(closing.finished_us),
    coalesce(closing.outcome, 'crashed'),
    closing.exit_status,
    coalesce(closing.complete, FALSE) AND NOT $damaged AND coalesce(closing.lost, 0) = 0,
    opening.session.label,
    opening.session.tags,
    opening.session.note,
    opening.session.command,
    opening.session.tool,
    opening.session.tool_version,
    opening.session.environment_id,
    opening.session.fingerprint,
    opening.session.commit_sha,
    opening.session.branch,
    opening.session.dirty,
    TRY_CAST(opening.session.commit_at AS TIMESTAMP),
    opening.session.merge_base,
    opening.session.remote_url,
    opening.session.ci_provider,
    opening.session.ci_url,
    opening.session.pull_request,
    opening.session.load_start,
    closing.load_end,
    closing.steal_s,
    closing.contended,
    opening.session.commit_subject
FROM (SELECT DISTINCT ON (session_id) * FROM line WHERE k = 'session') AS opening
LEFT JOIN (SELECT DISTINCT ON (session_id) * FROM line WHERE k = 'end') AS closing
    ON closing.session_id = opening.session_id
ORDER BY opening.session.started_us;

INSERT INTO environment
SELECT DISTINCT ON (environment.environment_id)
    environment.environment_id,
    environment.fingerprint,
    environment.hostname_hash,
    environment.os,
    environment.kernel,
    environment.cpu_model,
    environment.cores,
    environment.threads,
    environment.ram_bytes,
    environment.virtualization,
    environment.python,
    environment.packages,
    environment.details
FROM line
WHERE k = 'session' AND environment.environment_id IS NOT NULL;

INSERT INTO device
SELECT DISTINCT ON (device.device_id)
    device.device_id,
    device.backend,
    device.name,
    device.uuid,
    device.memory_bytes,
    device.driver,
    device.details
FROM (SELECT unnest(devices) AS device FROM line WHERE devices IS NOT NULL);

INSERT INTO benchmark
SELECT DISTINCT ON (benchmark_id)
    benchmark.benchmark_id,
    benchmark.project,
    benchmark.fullname,
    benchmark.file,
    benchmark.class_name,
    benchmark.function,
    benchmark.name,
    benchmark.group_name,
    benchmark.params,
    benchmark.param_id,
    benchmark.code_hash
FROM finished
ORDER BY benchmark_id, started_at DESC;

INSERT INTO run
SELECT
    run_id,
    session_id,
    benchmark_id,
    device_id,
    labels.model_version_id,
    labels.framework_id,
    labels.use_case,
    labels.implementation,
    labels.workload,
    labels.precision,
    labels.batch_size,
    labels.sequence_length,
    started_at,
    duration_s,
    outcome,
    reason,
    coalesce(attempt, 1),
    worker,
    coalesce(parallel, FALSE),
    iterations,
    rounds,
    warmup_rounds,
    calls,
    timer,
    sync_mode,
    cache_mode,
    CASE
        WHEN provenance IS NOT NULL THEN provenance
        WHEN list_contains(list_transform(measurements, LAMBDA item: item.provenance), 'simulated') THEN 'simulated'
        WHEN list_contains(list_transform(measurements, LAMBDA item: item.provenance), 'imported') THEN 'imported'
        ELSE 'measured'
    END,
    result_count,
    benchmark.code_hash,
    extra_info
FROM finished
ORDER BY started_at, run_id
