-- The cells of a table as text, in the order of the file; absent columns are NULL.
CREATE TEMP TABLE cell AS
SELECT
    row_number() OVER () AS line,
    *
FROM
    read_csv(
        $path,
        auto_detect = FALSE,
        header = TRUE,
        delim = $delimiter,
        quote = '"',
        escape = '"',
        max_line_size = 1048576,
        compression = 'none',
        columns = $columns
    )
