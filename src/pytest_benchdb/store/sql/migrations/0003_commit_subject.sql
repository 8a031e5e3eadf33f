-- Lists of sessions show what each commit did.
ALTER TABLE session ADD COLUMN commit_subject VARCHAR;
