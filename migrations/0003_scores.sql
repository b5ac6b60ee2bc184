-- What the forecasts of a block of slots were worth; times in nanoseconds, so that a range means the same whatever the
-- cadence. Ordered by time, not by series: blocks of all series end together, and a page is written for each place that a
-- commit touches. No foreign key: without an index by series, it would look through the table for every series removed.
CREATE TABLE score (
    series  INTEGER NOT NULL,
    start   INTEGER NOT NULL,
    end     INTEGER NOT NULL,
    crc32c  INTEGER NOT NULL,
    payload BLOB    NOT NULL,
    PRIMARY KEY (start, series)
) WITHOUT ROWID;
