-- Which version of these tables this is: one row.
CREATE TABLE schemac.version (
    one pg_catalog.bool PRIMARY KEY DEFAULT true CHECK (one),
    version pg_catalog.int4 NOT NULL
);
-- Pairs of SQL that the server once stored as the same text, each as a digest that also covers everything that was
-- resolved. It can be asked again, so it need not survive a crash, and is never published.
CREATE UNLOGGED TABLE schemac.memory (
    pair pg_catalog.text PRIMARY KEY,
    seen pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now()
);
-- Every apply that began, and what became of it.
CREATE TABLE schemac.applies (
    id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished pg_catalog.timestamptz,
    role pg_catalog.text NOT NULL DEFAULT current_user,
    schemac pg_catalog.text NOT NULL,
    plan pg_catalog.text NOT NULL,
    state pg_catalog.text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed', 'undone')),
    segments pg_catalog.int4 NOT NULL DEFAULT 0,
    forward pg_catalog.jsonb NOT NULL,
    reverse pg_catalog.jsonb,
    before pg_catalog.jsonb,
    after pg_catalog.jsonb,
    -- The applies that this one takes back, where it is a rollback.
    undoes pg_catalog.int8[] NOT NULL DEFAULT '{}'
)
