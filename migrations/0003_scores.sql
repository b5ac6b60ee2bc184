-- What the forecasts of a block of slots were worth; times in nanoseconds, so that a range means the same whatever the
-- cadence.
CREATE TABLE score (
    series  INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
    start   INTEGER NOT NULL,
    end     INTEGER NOT NULL,
    crc32c  INTEGER NOT NULL,
    payload BLOB    NOT NULL,
    PRIMARY KEY (series, start)
) WITHOUT ROWID;
