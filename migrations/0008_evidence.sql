-- Positions of the journal have no holes from here on. Before, expiry could drop rows from its middle.
ALTER TABLE journal_end ADD COLUMN whole_from INTEGER NOT NULL DEFAULT 0;
UPDATE journal_end SET whole_from = MAX(position, COALESCE((SELECT MAX(seq + n - 1) FROM journal), 0)) + 1
WHERE crc32c IS row_checksum(id, position, newest);
UPDATE journal_end SET crc32c = row_checksum(id, position, newest, whole_from)
WHERE crc32c IS row_checksum(id, position, newest);

-- What a state depends on beside its model and readings. NULL in the rows from before: taken from the configuration at the
-- next start.
ALTER TABLE epoch ADD COLUMN max_gap   INTEGER;
ALTER TABLE epoch ADD COLUMN time_zone TEXT;
ALTER TABLE epoch ADD COLUMN aggregate TEXT;
UPDATE epoch SET crc32c = row_checksum(
    id, series, version, from_slot, warm_up, position, reason, stands_for_method, stands_for_version, created_at, max_gap,
    time_zone, aggregate)
WHERE crc32c IS row_checksum(
    id, series, version, from_slot, warm_up, position, reason, stands_for_method, stands_for_version, created_at);

-- When a reading of the series arrived last, to the day: what silence is counted from. NULL: not known.
ALTER TABLE series ADD COLUMN heard_at INTEGER;
UPDATE series SET crc32c = row_checksum(
    id, key, aggregate, forecaster, cadence, lateness, created_at, sealed, heard_at)
WHERE crc32c IS row_checksum(id, key, aggregate, forecaster, cadence, lateness, created_at, sealed);

-- The newest time at which commits and the monotonic clock agreed on the time of day, and when a day's share of what has
-- expired was removed last.
CREATE TABLE clock (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    settled INTEGER,
    expired INTEGER,
    crc32c  INTEGER NOT NULL
);
