-- The suite's own metrics.
INSERT INTO metric
SELECT
    item.metric,
    any_value(item.unit),
    any_value(item.better),
    'other',
    NULL
FROM reading
WHERE item.metric NOT IN (SELECT metric FROM metric)
GROUP BY item.metric
