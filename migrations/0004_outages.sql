-- Slots of a series that its model gave no answer for: a replay passes over them as the first stepping did.
CREATE TABLE outage (
    series    INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
    epoch     INTEGER NOT NULL,
    from_slot INTEGER NOT NULL,
    to_slot   INTEGER NOT NULL,
    PRIMARY KEY (series, epoch, from_slot)
) WITHOUT ROWID;
