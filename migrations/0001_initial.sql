-- Every series ever seen. Cadence and lateness are settled together, once, before the first step.
CREATE TABLE series (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT    NOT NULL UNIQUE,
    aggregate  TEXT    NOT NULL,
    forecaster TEXT,
    cadence    INTEGER,
    lateness   INTEGER,
    created_at INTEGER NOT NULL
);

-- One row per group commit, append only. seq is the position of its first reading; AUTOINCREMENT-like reuse is
-- prevented by journal_end, which outlives dropped rows.
CREATE TABLE journal (
    seq      INTEGER PRIMARY KEY,
    n        INTEGER NOT NULL,
    newest   INTEGER NOT NULL,
    crc32c   INTEGER NOT NULL,
    readings BLOB    NOT NULL
);

-- The highest position ever used by a dropped row.
CREATE TABLE journal_end (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
);
INSERT INTO journal_end (id, position) VALUES (1, 0);

-- A state at a slot that no reading in time can change any more; the two newest of a series are kept.
CREATE TABLE checkpoint (
    series  INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
    epoch   INTEGER NOT NULL,
    slot    INTEGER NOT NULL,
    crc32c  INTEGER NOT NULL,
    payload BLOB    NOT NULL,
    PRIMARY KEY (series, epoch, slot)
) WITHOUT ROWID;

-- Weights never change once written.
CREATE TABLE model_version (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    forecaster     TEXT    NOT NULL,
    number         INTEGER NOT NULL,
    method         TEXT    NOT NULL,
    method_version TEXT    NOT NULL,
    parameters     TEXT    NOT NULL,
    parent         INTEGER,
    created_at     INTEGER NOT NULL,
    window_start   INTEGER,
    window_end     INTEGER,
    metrics        TEXT    NOT NULL,
    crc32c         INTEGER NOT NULL,
    weights        BLOB    NOT NULL,
    UNIQUE (forecaster, number)
);

-- The version of a forecaster that was promoted last.
CREATE TABLE champion (
    forecaster TEXT    PRIMARY KEY,
    version    INTEGER NOT NULL REFERENCES model_version(id)
) WITHOUT ROWID;

-- Which version steps a series from which slot on. The newest epoch of a series counts.
CREATE TABLE epoch (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    series     INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
    version    INTEGER NOT NULL REFERENCES model_version(id),
    from_slot  INTEGER,
    warm_up    INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX epoch_by_series ON epoch (series, id);

-- When a forecaster is due for training, on the wall clock.
CREATE TABLE schedule (
    forecaster    TEXT PRIMARY KEY,
    next_due      INTEGER,
    last_started  INTEGER,
    last_finished INTEGER,
    last_outcome  TEXT
) WITHOUT ROWID;
