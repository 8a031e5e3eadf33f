-- Lists of sessions show what each commit did.
ALTER TABLE session ADD COLUMN commit_subject VARCHAR;
-- Sessions can be taken out of the history, with a reason.
CREATE TABLE exclusion (
    exclusion_id UUID NOT NULL,
    session_ids UUID[] NOT NULL,
    spec VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    author VARCHAR,
    created_at TIMESTAMP NOT NULL,
    removed_at TIMESTAMP
);
COMMENT ON TABLE exclusion IS 'Sessions that are not part of the history, or are again; the newest row with a session counts';
COMMENT ON COLUMN exclusion.exclusion_id IS 'UUIDv7';
COMMENT ON COLUMN exclusion.session_ids IS 'The sessions';
COMMENT ON COLUMN exclusion.spec IS 'As the user wrote them';
COMMENT ON COLUMN exclusion.reason IS 'Why they are excluded';
COMMENT ON COLUMN exclusion.author IS 'Who excluded them';
COMMENT ON COLUMN exclusion.created_at IS 'UTC';
COMMENT ON COLUMN exclusion.removed_at IS 'UTC; NULL while they are excluded';
