CREATE TABLE IF NOT EXISTS version (version bigint NOT NULL);
CREATE TABLE IF NOT EXISTS clock (latest bigint NOT NULL, revision bigint NOT NULL, followable bigint NOT NULL);
CREATE TABLE IF NOT EXISTS cells (
    id bytea PRIMARY KEY, limit_name bytea NOT NULL, key bytea NOT NULL, window_name bytea NOT NULL,
    spent bigint NOT NULL, reserved bigint NOT NULL, open bigint NOT NULL, warned bigint NOT NULL,
    max bigint NOT NULL, kind bigint NOT NULL, ends bigint, algorithm bigint NOT NULL, span bigint NOT NULL,
    meter text NOT NULL, changed bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS cells_ending ON cells (ends) WHERE open = 0;
CREATE INDEX IF NOT EXISTS cells_changed ON cells (changed);
CREATE TABLE IF NOT EXISTS reservations (
    id bytea PRIMARY KEY, digest bigint NOT NULL, lease_ends bigint NOT NULL, closed bigint NOT NULL,
    ended bigint NOT NULL, charges text NOT NULL
);
CREATE INDEX IF NOT EXISTS reservations_open ON reservations (lease_ends) WHERE closed = 0;
CREATE INDEX IF NOT EXISTS reservations_ended ON reservations (ended) WHERE closed <> 0;
CREATE TABLE IF NOT EXISTS drops (
    revision bigint PRIMARY KEY, id bytea NOT NULL, limit_name bytea NOT NULL, key bytea NOT NULL,
    window_name bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS drops_cell ON drops (id);
INSERT INTO version SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM version);
INSERT INTO clock SELECT -9223372036854775808, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM clock);
