-- A note of the fold about the session.
INSERT INTO note
SELECT
    uuidv7(),
    $session_id,
    NULL,
    NULL,
    'pytest-benchdb',
    CAST(now() AT TIME ZONE 'UTC' AS TIMESTAMP),
    $text
