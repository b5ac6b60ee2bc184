-- Every row that a start builds on says whether it is as it was written: crc32c is row_checksum() of its other columns,
-- a function that Storage gives to SQLite. Rows from before get theirs here, from what they say now: damage that is older
-- than this goes on unseen, later damage is found.
ALTER TABLE series      ADD COLUMN crc32c INTEGER NOT NULL DEFAULT 0;
ALTER TABLE epoch       ADD COLUMN crc32c INTEGER NOT NULL DEFAULT 0;
ALTER TABLE champion    ADD COLUMN crc32c INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outage      ADD COLUMN crc32c INTEGER NOT NULL DEFAULT 0;
ALTER TABLE schedule    ADD COLUMN crc32c INTEGER NOT NULL DEFAULT 0;
ALTER TABLE journal_end ADD COLUMN crc32c INTEGER NOT NULL DEFAULT 0;

UPDATE series SET crc32c = row_checksum(id, key, aggregate, forecaster, cadence, lateness, created_at, sealed);
UPDATE epoch SET crc32c = row_checksum(
    id, series, version, from_slot, warm_up, position, reason, stands_for_method, stands_for_version, created_at);
UPDATE champion SET crc32c = row_checksum(forecaster, version);
UPDATE outage SET crc32c = row_checksum(series, epoch, from_slot, to_slot);
UPDATE schedule SET crc32c = row_checksum(forecaster, next_due, last_started, last_finished, last_outcome);
UPDATE journal_end SET crc32c = row_checksum(id, position, newest);
