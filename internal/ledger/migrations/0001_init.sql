-- What was read.
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE dict (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
CREATE TABLE stream (
    source INTEGER NOT NULL, name TEXT NOT NULL,
    cursor TEXT NOT NULL DEFAULT '', complete INTEGER NOT NULL DEFAULT 0, truncated INTEGER NOT NULL DEFAULT 0,
    last_attempt INTEGER, last_success INTEGER, data_time INTEGER, error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (source, name)
) WITHOUT ROWID;
CREATE TABLE record (
    rid INTEGER PRIMARY KEY, source INTEGER NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL,
    at INTEGER, data BLOB NOT NULL
);
CREATE UNIQUE INDEX record_key ON record (source, kind, id);
CREATE INDEX record_at ON record (source, at) WHERE at IS NOT NULL;

-- What is derived from it, and can be rebuilt.
CREATE TABLE dependent (
    source INTEGER NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (source, kind, id, rid)
) WITHOUT ROWID;
CREATE TABLE node (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, grp INTEGER, data BLOB NOT NULL DEFAULT x'');
CREATE UNIQUE INDEX node_hash ON node (hash);
CREATE INDEX node_grp ON node (grp) WHERE grp IS NOT NULL;
CREATE TABLE identity (
    rid INTEGER PRIMARY KEY, node INTEGER NOT NULL, source INTEGER NOT NULL, company INTEGER NOT NULL, age INTEGER
);
CREATE INDEX identity_node ON identity (node);
CREATE TABLE node_key (
    hash BLOB NOT NULL, node INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (hash, node, rid)
) WITHOUT ROWID;
CREATE INDEX node_key_node ON node_key (node);
CREATE INDEX node_key_rid ON node_key (rid);
CREATE TABLE chunk (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
