-- Models, versions and frameworks that the labels of the runs name.
INSERT INTO model (model_id, name)
SELECT DISTINCT
    labels.model_id,
    labels.model
FROM finished
WHERE labels.model_id IS NOT NULL;

INSERT INTO model_version (model_version_id, model_id, version, precision)
SELECT DISTINCT
    labels.model_version_id,
    labels.model_id,
    labels.version,
    labels.precision
FROM finished
WHERE labels.model_version_id IS NOT NULL;

INSERT INTO framework (framework_id, name, version)
SELECT DISTINCT
    labels.framework_id,
    labels.framework,
    labels.framework_version
FROM finished
WHERE labels.framework_id IS NOT NULL
