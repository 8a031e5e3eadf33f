-- The energy of a run is its row without a domain; before, views added up single counters, and some wrongly.
DROP VIEW report;

CREATE VIEW report AS
WITH figures AS (
    SELECT
        run_id,
        session_id,
        started_at,
        metric,
        phase,
        valid,
        reason,
        n,
        CASE WHEN valid THEN min END AS min,
        CASE WHEN valid THEN max END AS max,
        CASE WHEN valid THEN mean END AS mean,
        CASE WHEN valid THEN value END AS value,
        CASE WHEN valid THEN stddev END AS stddev,
        CASE WHEN valid THEN q1 END AS q1,
        CASE WHEN valid THEN q3 END AS q3,
        CASE WHEN valid THEN p90 END AS p90,
        CASE WHEN valid THEN p95 END AS p95,
        CASE WHEN valid THEN p99 END AS p99,
        CASE WHEN valid THEN outliers END AS outliers
    FROM measurement
    WHERE
        pass = 'time' AND rank IS NULL
        AND (
            metric IN ('wall_time', 'step_time', 'e2e_latency')
            OR (metric IN ('device_time', 'cpu_time') AND phase IS NULL)
        )
    QUALIFY row_number() OVER (
        PARTITION BY session_id, run_id, started_at
        ORDER BY
            phase IS NOT NULL,
            metric = 'cpu_time',
            NOT valid,
            CASE
                WHEN metric = 'wall_time' AND phase IS NULL THEN 0
                WHEN metric = 'step_time' THEN 1
                WHEN metric = 'e2e_latency' THEN 2
                ELSE 3
            END,
            len(phase) - len(replace(phase, '/', '')),
            n * coalesce(mean, value) DESC NULLS LAST,
            phase
    ) = 1
),

-- What else was measured of the same part of a run.
beside AS (
    SELECT
        run_id,
        session_id,
        started_at,
        phase,
        max(value) FILTER (WHERE metric = 'cpu_time' AND provenance <> 'derived') AS cpu_time,
        max(value) FILTER (WHERE metric = 'peak_rss') AS peak_rss,
        -- Reading the clocks takes about 1 us, which would be a large part of a shorter block.
        max(value) FILTER (WHERE metric = 'block_cpu_time')
        / max(value) FILTER (WHERE metric = 'block_wall_time' AND value >= 1e-4) AS cpu_per_wall,
        coalesce(
            max(value) FILTER (WHERE metric = 'throughput'), max(value) FILTER (WHERE metric = 'requests_per_second')
        ) AS throughput,
        max(value) FILTER (WHERE metric = 'device_peak') AS device_peak,
        max(value) FILTER (WHERE metric = 'first_call_time') AS first_call
    FROM measurement
    WHERE
        metric IN (
            'cpu_time',
            'peak_rss',
            'block_cpu_time',
            'block_wall_time',
            'throughput',
            'requests_per_second',
            'device_peak',
            'first_call_time'
        )
        AND pass = 'time' AND rank IS NULL AND valid
    GROUP BY run_id, session_id, started_at, phase
),

-- Rows with a domain are single counters; some of them include others.
energy AS (
    SELECT
        run_id,
        session_id,
        started_at,
        phase,
        CASE WHEN valid THEN value END AS value,
        CASE WHEN value IS NULL OR NOT valid THEN reason END AS reason
    FROM measurement
    WHERE metric = 'energy' AND rank IS NULL AND domain IS NULL
    QUALIFY row_number() OVER (
        PARTITION BY session_id, run_id, started_at, phase ORDER BY pass <> 'energy', measurement_id
    ) = 1
)

SELECT
    run.run_id,
    run.session_id,
    run.benchmark_id,
    run.started_at,
    benchmark.project,
    benchmark.fullname,
    benchmark.name,
    benchmark.group_name,
    device.backend,
    device.name AS device,
    model.name AS model,
    model_version.version AS model_version,
    framework.name AS framework,
    run.implementation,
    run.workload,
    run.precision,
    run.batch_size,
    run.sequence_length,
    run.outcome,
    coalesce(run.reason, figures.reason) AS reason,
    coalesce(figures.valid, run.outcome = 'passed') AS valid,
    run.provenance,
    run.attempt,
    run.worker,
    run.parallel,
    figures.metric AS main_metric,
    figures.phase AS main_phase,
    figures.min AS min_s,
    figures.max AS max_s,
    figures.mean AS mean_s,
    figures.value AS median_s,
    figures.stddev AS stddev_s,
    figures.q1 AS q1_s,
    figures.q3 AS q3_s,
    figures.p90 AS p90_s,
    figures.p95 AS p95_s,
    figures.p99 AS p99_s,
    figures.outliers,
    beside.first_call AS first_call_s,
    beside.cpu_time AS cpu_s,
    beside.cpu_per_wall,
    beside.throughput,
    energy.value AS energy_j,
    energy.reason AS energy_reason,
    beside.peak_rss AS peak_rss_bytes,
    beside.device_peak AS device_peak_bytes,
    CASE WHEN figures.phase IS NULL AND figures.metric IN ('wall_time', 'cpu_time') THEN run.rounds ELSE figures.n END
        AS rounds,
    CASE WHEN figures.phase IS NULL AND figures.metric IN ('wall_time', 'cpu_time') THEN run.iterations END
        AS iterations
FROM run
LEFT JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
LEFT JOIN device ON device.device_id = run.device_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
LEFT JOIN framework ON framework.framework_id = run.framework_id
LEFT JOIN figures
    ON figures.run_id = run.run_id AND figures.session_id = run.session_id AND figures.started_at = run.started_at
LEFT JOIN beside
    ON beside.run_id = run.run_id AND beside.session_id = run.session_id AND beside.started_at = run.started_at
    AND beside.phase IS NOT DISTINCT FROM figures.phase
LEFT JOIN energy
    ON energy.run_id = run.run_id AND energy.session_id = run.session_id AND energy.started_at = run.started_at
    AND energy.phase IS NOT DISTINCT FROM figures.phase;
COMMENT ON VIEW report IS 'One run as reports show it, whatever its outcome; figures only where they may be compared';
COMMENT ON COLUMN report.run_id IS 'The run';
COMMENT ON COLUMN report.session_id IS 'The session';
COMMENT ON COLUMN report.benchmark_id IS 'The benchmark';
COMMENT ON COLUMN report.started_at IS 'Start of the run, UTC';
COMMENT ON COLUMN report.project IS 'Project of the benchmark';
COMMENT ON COLUMN report.fullname IS 'Path from the project''s root, names and parameters';
COMMENT ON COLUMN report.name IS 'Function and parameters';
COMMENT ON COLUMN report.group_name IS 'Group, as last seen';
COMMENT ON COLUMN report.backend IS 'Kind of hardware: cpu, cuda, ...';
COMMENT ON COLUMN report.device IS 'The vendor''s name of the device';
COMMENT ON COLUMN report.model IS 'Name of the model';
COMMENT ON COLUMN report.model_version IS 'Its version';
COMMENT ON COLUMN report.framework IS 'Name of the framework';
COMMENT ON COLUMN report.implementation IS 'Which of several implementations';
COMMENT ON COLUMN report.workload IS 'training, inference, serving, microbenchmark or scenario';
COMMENT ON COLUMN report.precision IS 'fp32, fp16, ...';
COMMENT ON COLUMN report.batch_size IS 'Items in one call';
COMMENT ON COLUMN report.sequence_length IS 'Length of one item';
COMMENT ON COLUMN report.outcome IS 'Outcome of the run';
COMMENT ON COLUMN report.reason IS 'Why it did not pass, or why it has no valid figures';
COMMENT ON COLUMN report.valid IS 'Whether its main metric may be compared; without one, whether it passed';
COMMENT ON COLUMN report.provenance IS 'measured, imported, simulated or derived';
COMMENT ON COLUMN report.attempt IS '1 for the first, 2 for the first rerun, ...';
COMMENT ON COLUMN report.worker IS 'Name of the xdist worker';
COMMENT ON COLUMN report.parallel IS 'Whether other tests ran beside it';
COMMENT ON COLUMN report.main_metric IS 'Metric of the times: wall_time; of runs without, step_time, e2e_latency (of one request), device_time or cpu_time; NULL if nothing was timed';
COMMENT ON COLUMN report.main_phase IS 'The part of the run that the figures belong to; NULL for the whole';
COMMENT ON COLUMN report.min_s IS 'Fastest round, seconds per iteration';
COMMENT ON COLUMN report.max_s IS 'Slowest round, seconds per iteration';
COMMENT ON COLUMN report.mean_s IS 'Mean of the rounds, seconds per iteration';
COMMENT ON COLUMN report.median_s IS 'Median of the rounds, or the single reading, seconds per iteration';
COMMENT ON COLUMN report.stddev_s IS 'Sample standard deviation of the rounds, seconds per iteration';
COMMENT ON COLUMN report.q1_s IS 'First quartile, seconds per iteration';
COMMENT ON COLUMN report.q3_s IS 'Third quartile, seconds per iteration';
COMMENT ON COLUMN report.p90_s IS '90th percentile, seconds per iteration';
COMMENT ON COLUMN report.p95_s IS '95th percentile, seconds per iteration';
COMMENT ON COLUMN report.p99_s IS '99th percentile, seconds per iteration';
COMMENT ON COLUMN report.outliers IS 'Rounds more than 1.5 interquartile ranges outside the quartiles';
COMMENT ON COLUMN report.first_call_s IS 'Wall-clock time of the first call, compilation included, seconds';
COMMENT ON COLUMN report.cpu_s IS 'CPU time of the process for one call, seconds; NULL unless measured for the call alone';
COMMENT ON COLUMN report.cpu_per_wall IS 'CPU time of the process per wall-clock time of the timed block; NULL for blocks below 100 us';
COMMENT ON COLUMN report.throughput IS 'Items, or requests of a token stream, handled per second; NULL if not measured';
COMMENT ON COLUMN report.energy_j IS 'Energy of one iteration, joules, of the device as a whole; NULL unless valid';
COMMENT ON COLUMN report.energy_reason IS 'Why energy that was asked for is not there';
COMMENT ON COLUMN report.peak_rss_bytes IS 'Peak resident set in the timed block, bytes';
COMMENT ON COLUMN report.device_peak_bytes IS 'Peak of the memory that the device''s allocator had handed out, bytes';
COMMENT ON COLUMN report.rounds IS 'Timed blocks; of another main metric, its samples';
COMMENT ON COLUMN report.iterations IS 'Calls in one round';

DROP VIEW power_metrics;

CREATE VIEW power_metrics AS
SELECT
    run.run_id,
    run.session_id,
    run.started_at,
    any_value(benchmark.fullname) AS benchmark,
    any_value(model.name) AS model_name,
    any_value(device.backend) AS hardware_type,
    any_value(device.name) AS device_name,
    coalesce(
        max(measurement.value) FILTER (WHERE measurement.metric = 'power' AND measurement.pass = 'energy'),
        max(coalesce(measurement.mean, measurement.value)) FILTER (WHERE measurement.metric = 'power')
    ) AS power_watts_avg,
    max(measurement.max) FILTER (WHERE measurement.metric = 'power') AS power_watts_peak,
    max(measurement.value) FILTER (WHERE measurement.metric = 'energy') AS energy_joules,
    max(coalesce(measurement.mean, measurement.value)) FILTER (WHERE measurement.metric = 'temperature') - 273.15
        AS temperature_celsius_avg,
    max(measurement.max) FILTER (WHERE measurement.metric = 'temperature') - 273.15 AS temperature_celsius_peak,
    max(measurement.value) FILTER (WHERE measurement.metric = 'throughput')
    / nullif(
        coalesce(
            max(measurement.value) FILTER (WHERE measurement.metric = 'power' AND measurement.pass = 'energy'),
            max(coalesce(measurement.mean, measurement.value)) FILTER (WHERE measurement.metric = 'power')
        ),
        0
    ) AS energy_efficiency_items_per_joule,
    any_value(run.duration_s) AS test_duration_seconds,
    any_value(measurement.method) FILTER (WHERE measurement.metric IN ('power', 'energy')) AS method
FROM run
INNER JOIN measurement
    ON measurement.run_id = run.run_id AND measurement.session_id = run.session_id
    AND measurement.phase IS NULL AND measurement.valid AND measurement.provenance <> 'simulated'
    AND measurement.metric IN ('power', 'energy', 'temperature', 'throughput') AND measurement.rank IS NULL
    AND (measurement.pass <> 'energy' OR measurement.domain IS NULL)
LEFT JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
LEFT JOIN device ON device.device_id = run.device_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
WHERE run.outcome = 'passed' AND run.provenance <> 'simulated'
GROUP BY run.run_id, run.session_id, run.started_at
HAVING bool_or(measurement.metric IN ('power', 'energy'));
COMMENT ON VIEW power_metrics IS 'One passed run that measured power or energy';
COMMENT ON COLUMN power_metrics.run_id IS 'The run';
COMMENT ON COLUMN power_metrics.session_id IS 'The session';
COMMENT ON COLUMN power_metrics.started_at IS 'Start of the run, UTC';
COMMENT ON COLUMN power_metrics.benchmark IS 'Full name of the benchmark';
COMMENT ON COLUMN power_metrics.model_name IS 'Name of the model';
COMMENT ON COLUMN power_metrics.hardware_type IS 'Backend: cpu, cuda, ...';
COMMENT ON COLUMN power_metrics.device_name IS 'The vendor''s name of the device';
COMMENT ON COLUMN power_metrics.power_watts_avg IS 'Mean power';
COMMENT ON COLUMN power_metrics.power_watts_peak IS 'Largest power; NULL for a single reading';
COMMENT ON COLUMN power_metrics.energy_joules IS 'Energy of one iteration';
COMMENT ON COLUMN power_metrics.temperature_celsius_avg IS 'Mean temperature';
COMMENT ON COLUMN power_metrics.temperature_celsius_peak IS 'Highest temperature; NULL for a single reading';
COMMENT ON COLUMN power_metrics.energy_efficiency_items_per_joule IS 'Measured throughput divided by mean power';
COMMENT ON COLUMN power_metrics.test_duration_seconds IS 'Time of the test''s call phase';
COMMENT ON COLUMN power_metrics.method IS 'How power or energy was taken';

DROP VIEW benchmark_results;

CREATE VIEW benchmark_results AS
SELECT
    run.run_id,
    run.session_id,
    run.started_at AS benchmark_date,
    any_value(model.name) AS model,
    any_value(model_version.version) AS version,
    any_value(device.name) AS hardware,
    any_value(framework.name) AS framework,
    any_value(framework.version) AS framework_version,
    any_value(run.workload) AS workload_type,
    any_value(run.precision) AS precision,
    any_value(run.batch_size) AS batch_size,
    any_value(run.sequence_length) AS sequence_length,
    max(measurement.value) FILTER (WHERE measurement.metric = 'ttft') * 1e3 AS ttft_p50_ms,
    max(measurement.p90) FILTER (WHERE measurement.metric = 'ttft') * 1e3 AS ttft_p90_ms,
    max(measurement.p99) FILTER (WHERE measurement.metric = 'ttft') * 1e3 AS ttft_p99_ms,
    max(measurement.value) FILTER (WHERE measurement.metric = 'tpot') * 1e3 AS tpot_p50_ms,
    max(measurement.p90) FILTER (WHERE measurement.metric = 'tpot') * 1e3 AS tpot_p90_ms,
    max(measurement.p99) FILTER (WHERE measurement.metric = 'tpot') * 1e3 AS tpot_p99_ms,
    max(measurement.value) FILTER (WHERE measurement.metric = 'tokens_per_second') AS throughput_tokens_sec,
    max(measurement.value) FILTER (WHERE measurement.metric = 'requests_per_second') AS rps_sustained,
    max(measurement.value) FILTER (WHERE measurement.metric = 'accuracy') AS accuracy_score,
    max(measurement.value) FILTER (WHERE measurement.metric = 'utilization') * 100 AS gpu_utilization_pct,
    max(measurement.value) FILTER (WHERE measurement.metric = 'device_peak') / 1e9 AS memory_used_gb,
    map_from_entries(list((measurement.metric, measurement.value) ORDER BY measurement.metric)) AS detailed_metrics
FROM run
INNER JOIN (
    SELECT run_id, session_id, metric, max(value) AS value, max(p90) AS p90, max(p99) AS p99
    FROM measurement
    WHERE phase IS NULL AND valid AND provenance <> 'simulated' AND (pass <> 'energy' OR domain IS NULL)
    GROUP BY run_id, session_id, metric
    HAVING count(*) = 1
) AS measurement
    ON measurement.run_id = run.run_id AND measurement.session_id = run.session_id
LEFT JOIN device ON device.device_id = run.device_id
LEFT JOIN framework ON framework.framework_id = run.framework_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
WHERE run.outcome = 'passed' AND run.provenance <> 'simulated'
GROUP BY run.run_id, run.session_id, run.started_at
HAVING bool_or(measurement.metric IN ('ttft', 'tpot', 'itl', 'e2e_latency', 'tokens_per_second'));
COMMENT ON VIEW benchmark_results IS 'One passed run that measured how a language model serves';
COMMENT ON COLUMN benchmark_results.run_id IS 'The run';
COMMENT ON COLUMN benchmark_results.session_id IS 'The session';
COMMENT ON COLUMN benchmark_results.benchmark_date IS 'Start of the run, UTC';
COMMENT ON COLUMN benchmark_results.model IS 'Name of the model';
COMMENT ON COLUMN benchmark_results.version IS 'Its version';
COMMENT ON COLUMN benchmark_results.hardware IS 'The vendor''s name of the device';
COMMENT ON COLUMN benchmark_results.framework IS 'Name of the framework';
COMMENT ON COLUMN benchmark_results.framework_version IS 'Its version';
COMMENT ON COLUMN benchmark_results.workload_type IS 'Workload';
COMMENT ON COLUMN benchmark_results.precision IS 'fp32, fp16, ...';
COMMENT ON COLUMN benchmark_results.batch_size IS 'Items in one call';
COMMENT ON COLUMN benchmark_results.sequence_length IS 'Length of one item';
COMMENT ON COLUMN benchmark_results.ttft_p50_ms IS 'Time to the first token, median over requests';
COMMENT ON COLUMN benchmark_results.ttft_p90_ms IS 'The same, 90th percentile, linear interpolation';
COMMENT ON COLUMN benchmark_results.ttft_p99_ms IS 'The same, 99th percentile, linear interpolation';
COMMENT ON COLUMN benchmark_results.tpot_p50_ms IS 'Time per output token after the first, median over requests';
COMMENT ON COLUMN benchmark_results.tpot_p90_ms IS 'The same, 90th percentile, linear interpolation';
COMMENT ON COLUMN benchmark_results.tpot_p99_ms IS 'The same, 99th percentile, linear interpolation';
COMMENT ON COLUMN benchmark_results.throughput_tokens_sec IS 'Output tokens per second over all requests';
COMMENT ON COLUMN benchmark_results.rps_sustained IS 'Metric requests_per_second, where the suite recorded it';
COMMENT ON COLUMN benchmark_results.accuracy_score IS 'Metric accuracy, where the suite recorded it';
COMMENT ON COLUMN benchmark_results.gpu_utilization_pct IS 'Share of the time in which the device was busy, percent';
COMMENT ON COLUMN benchmark_results.memory_used_gb IS 'Peak of the device''s allocator, 1 GB = 1e9 bytes';
COMMENT ON COLUMN benchmark_results.detailed_metrics IS 'Every metric that the run took once, by name';
COMMENT ON COLUMN measurement.pass IS 'time, memory, energy, counters or series: what else ran while it was taken';
COMMENT ON COLUMN samples.pass IS 'time, memory, energy, counters or series: what else ran while it was taken';
