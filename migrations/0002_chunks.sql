-- Sealed history: up to 1,024 readings of one series, ascending in time; chunks of a series do not overlap.
CREATE TABLE chunk (
    series INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
    start  INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    crc32c INTEGER NOT NULL,
    data   BLOB    NOT NULL,
    PRIMARY KEY (series, start)
) WITHOUT ROWID;

-- Chunks whose content is damaged, put aside with their bytes as they were found.
CREATE TABLE quarantine (
    series INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    crc32c INTEGER NOT NULL,
    data   BLOB    NOT NULL,
    PRIMARY KEY (series, start)
) WITHOUT ROWID;

-- Readings of a series up to this journal position are in its chunks; only later ones count in the journal.
ALTER TABLE series ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;

-- The newest timestamp of the rows that were dropped.
ALTER TABLE journal_end ADD COLUMN newest INTEGER NOT NULL DEFAULT -9223372036854775808;
