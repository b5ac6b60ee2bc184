-- The two checkpoints of a series take turns in the two halves of the table: place is the series' number, plus 2^40 every
-- other time. Those of many series that are written together lie together, and no page is written for the sake of one
-- that stays as it is. Side by side, each page had half as many new ones, and those in the inner pages of a table without
-- row ids cost more. No foreign key: without an index by series, it would look through the table for every one removed.
CREATE TABLE checkpoint_in_turn (
    place   INTEGER PRIMARY KEY,
    epoch   INTEGER NOT NULL,
    slot    INTEGER NOT NULL,
    crc32c  INTEGER NOT NULL,
    payload BLOB    NOT NULL
);
INSERT OR REPLACE INTO checkpoint_in_turn (place, epoch, slot, crc32c, payload)
    SELECT series + (ROW_NUMBER() OVER (PARTITION BY series ORDER BY epoch, slot) % 2) * (1 << 40), epoch, slot, crc32c,
        payload
    FROM checkpoint ORDER BY series, epoch, slot;
DROP TABLE checkpoint;
ALTER TABLE checkpoint_in_turn RENAME TO checkpoint;
