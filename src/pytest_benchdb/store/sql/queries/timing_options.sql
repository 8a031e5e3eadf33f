-- The options that sessions timed with: one row for each value of an option.
SELECT DISTINCT
    CAST(run.session_id AS VARCHAR) AS session_id,
    option.name,
    json_extract_string(measurement.details, '$.' || option.name) AS value
FROM measurement
INNER JOIN run ON run.run_id = measurement.run_id
CROSS JOIN (SELECT unnest($names) AS name) AS option
WHERE
    CAST(run.session_id AS VARCHAR) IN (SELECT unnest($session_ids))
    AND measurement.pass = 'time'
    AND json_extract_string(measurement.details, '$.' || option.name) IS NOT NULL
