-- rows that refer to missing rows
SELECT 'run ' || run_id || ' has no session' AS problem
FROM run
WHERE session_id NOT IN (SELECT session_id FROM session)
UNION ALL
SELECT 'run ' || run_id || ' has no benchmark'
FROM run
WHERE benchmark_id NOT IN (SELECT benchmark_id FROM benchmark)
UNION ALL
SELECT 'run ' || run_id || ' has no device'
FROM run
WHERE device_id IS NOT NULL AND device_id NOT IN (SELECT device_id FROM device)
UNION ALL
SELECT 'run ' || run_id || ' has no model version'
FROM run
WHERE model_version_id IS NOT NULL AND model_version_id NOT IN (SELECT model_version_id FROM model_version)
UNION ALL
SELECT 'model version ' || model_version_id || ' has no model'
FROM model_version
WHERE model_id NOT IN (SELECT model_id FROM model)
UNION ALL
SELECT 'run ' || run_id || ' has no framework'
FROM run
WHERE framework_id IS NOT NULL AND framework_id NOT IN (SELECT framework_id FROM framework)
UNION ALL
SELECT 'session ' || session_id || ' has no environment'
FROM session
WHERE environment_id IS NOT NULL AND environment_id NOT IN (SELECT environment_id FROM environment)
UNION ALL
SELECT 'measurement ' || measurement.measurement_id || ' has no run'
FROM measurement
ANTI JOIN run ON run.run_id = measurement.run_id AND run.session_id = measurement.session_id
UNION ALL
SELECT 'chunk ' || round_chunk.chunk || ' of measurement ' || round_chunk.measurement_id || ' has no measurement'
FROM round_chunk
ANTI JOIN measurement
    ON measurement.measurement_id = round_chunk.measurement_id AND measurement.session_id = round_chunk.session_id
UNION ALL
SELECT 'measurement ' || measurement_id || ' has the unknown metric ' || metric
FROM measurement
WHERE metric NOT IN (SELECT metric FROM metric)
