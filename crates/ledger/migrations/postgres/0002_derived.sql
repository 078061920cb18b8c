-- What questions are asked by, as columns on both engines, so that the text of a question is the same on both.

ALTER TABLE incidents
    ADD COLUMN pattern TEXT GENERATED ALWAYS AS (replace(record, '\u0000', '\ufffd')::jsonb #>> '{diagnosis,pattern}') STORED,
    ADD COLUMN tool TEXT GENERATED ALWAYS AS (replace(record, '\u0000', '\ufffd')::jsonb #>> '{diagnosis,tool}') STORED;

-- The row that an entry speaks of, and the head of the file that an import took in.
ALTER TABLE audit
    ADD COLUMN about TEXT COLLATE "C" GENERATED ALWAYS AS (replace(body, '\u0000', '\ufffd')::jsonb ->> 'row') STORED,
    ADD COLUMN imported TEXT COLLATE "C" GENERATED ALWAYS AS (replace(body, '\u0000', '\ufffd')::jsonb ->> 'head') STORED;
CREATE INDEX audit_by_row ON audit (about);
CREATE INDEX audit_by_import ON audit (imported) WHERE kind = 'imported';
