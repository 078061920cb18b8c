-- What questions are asked by, as columns on both engines, so that the text of a question is the same on both.

ALTER TABLE incidents ADD COLUMN pattern TEXT GENERATED ALWAYS AS (record ->> '$.diagnosis.pattern') VIRTUAL;
ALTER TABLE incidents ADD COLUMN tool TEXT GENERATED ALWAYS AS (record ->> '$.diagnosis.tool') VIRTUAL;

-- The row that an entry speaks of, and the head of the file that an import took in.
ALTER TABLE audit ADD COLUMN about TEXT GENERATED ALWAYS AS (body ->> '$.row') VIRTUAL;
ALTER TABLE audit ADD COLUMN imported TEXT GENERATED ALWAYS AS (body ->> '$.head') VIRTUAL;
CREATE INDEX audit_by_row ON audit (about);
CREATE INDEX audit_by_import ON audit (imported) WHERE kind = 'imported';
