-- How many notices came onto the list since a moment is asked before each one; work is kept for good.
CREATE INDEX work_notices ON work (created_at, key) WHERE kind = 'notice';
