-- Everything that is defined in attached databases, before anything in them is read: kind, schema, name and definition.
-- Nothing here binds a view or runs a macro. The flag `internal` is ignored where a file could set it.
SELECT
    database_name AS alias, 'schema' AS kind, schema_name, schema_name AS name, NULL AS sql, NULL AS row_count
FROM duckdb_schemas()
WHERE list_contains($aliases, database_name)
UNION ALL
SELECT database_name, 'table', schema_name, table_name, sql, estimated_size
FROM duckdb_tables()
WHERE list_contains($aliases, database_name)
UNION ALL
SELECT database_name, 'view', schema_name, view_name, sql, NULL
FROM duckdb_views()
WHERE list_contains($aliases, database_name)
UNION ALL
SELECT database_name, 'sequence', schema_name, sequence_name, NULL, NULL
FROM duckdb_sequences()
WHERE list_contains($aliases, database_name)
UNION ALL
SELECT database_name, 'index', schema_name, index_name, NULL, NULL
FROM duckdb_indexes()
WHERE list_contains($aliases, database_name)
UNION ALL
SELECT database_name, 'macro', schema_name, function_name, NULL, NULL
FROM duckdb_functions()
WHERE list_contains($aliases, database_name)
UNION ALL
-- Every database lists DuckDB's own types; `memory` is a database of this process.
SELECT own.database_name, 'type', own.schema_name, own.type_name, NULL, NULL
FROM duckdb_types() AS own
WHERE
    list_contains($aliases, own.database_name)
    AND own.type_name NOT IN (SELECT builtin.type_name FROM duckdb_types() AS builtin WHERE builtin.database_name = 'memory')
