-- What became of a forecaster's models: training runs, how they ended, and every change of what serves its series. The newest
-- thousand of each forecaster are kept.
CREATE TABLE model_event (
    id         INTEGER PRIMARY KEY,
    forecaster TEXT NOT NULL,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    version    INTEGER,
    series     INTEGER NOT NULL,
    text       TEXT NOT NULL,
    crc32c     INTEGER NOT NULL
);
CREATE INDEX model_event_by_forecaster ON model_event (forecaster, id);
