-- What incidents are listed and counted by: each list is one walk along one of the indexes. Here the derived columns are
-- stored, so that what SQLite keeps beside them is a view.

ALTER TABLE incidents
    ADD COLUMN fingerprint TEXT GENERATED ALWAYS AS (replace(record, '\u0000', '\ufffd')::jsonb #>> '{diagnosis,fingerprint}') STORED,
    -- From the first step to the end of the verification, in milliseconds; NULL where nothing was done.
    ADD COLUMN recovery_ms BIGINT GENERATED ALWAYS AS
        ((replace(record, '\u0000', '\ufffd')::jsonb #>> '{timings,act}')::bigint
         + coalesce((replace(record, '\u0000', '\ufffd')::jsonb #>> '{timings,verify}')::bigint, 0)) STORED;
CREATE VIEW listed AS
    SELECT id, opened_at, state, outcome, class, repository, pattern, fingerprint, playbook, recovery_ms FROM incidents;

DROP INDEX incidents_by_state;
CREATE INDEX incidents_by_state ON incidents (state, opened_at, id);
CREATE INDEX incidents_by_outcome ON incidents (outcome, opened_at, id);
CREATE INDEX incidents_by_class ON incidents (class, opened_at, id);
CREATE INDEX incidents_by_repository ON incidents (repository, opened_at, id);
CREATE INDEX incidents_by_pattern ON incidents (pattern, opened_at, id);
CREATE INDEX incidents_by_fingerprint ON incidents (fingerprint, opened_at, id);
