/// The messages of the methods that change something.
extension Control {
    /// Commits readings; replies when they are on disk. Format is line (the default)
    /// or csv; precision of the timestamps is ns (the default), us, ms or s. Readings
    /// are refused individually, and counted in GetStatus, with these reasons:
    /// notFinite (not a finite double: NaN, infinite, beyond 1.8e308), tooFarAhead
    /// and outOfRange (their timestamp), clockUnset (the daemon's clock is not set),
    /// slotFull, tooManySeries, unprintableName (a new series' name has a control
    /// character, a line separator or a bidirectional control) or nameTooLong (more
    /// than 64 KiB). A value beyond 1e18 is kept and exported, but counts as missing
    /// in forecasts.
    public enum Ingest {
        public struct Request: Codable, Sendable {
            public var text: String
            public var format: String?
            public var precision: String?
            public var firstLine: Int?

            public init(text: String, format: String? = nil, precision: String? = nil, firstLine: Int? = nil) {
                self.text = text
                self.format = format
                self.precision = precision
                self.firstLine = firstLine
            }
        }

        public struct Reply: Codable, Sendable {
            public var accepted: Int
            public var late: Int
            public var skipped: Int
            public var refused: Int
            public var problems: [Problem]
            public var position: Int

            public init(accepted: Int, late: Int, skipped: Int, refused: Int, problems: [Problem], position: Int) {
                self.accepted = accepted
                self.late = late
                self.skipped = skipped
                self.refused = refused
                self.problems = problems
                self.position = position
            }
        }
    }

    /// Trains a forecaster now. With more, reports the progress until it ends.
    public enum Retrain {
        public struct Request: Codable, Sendable {
            public var forecaster: String

            public init(forecaster: String) {
                self.forecaster = forecaster
            }
        }

        public struct Reply: Codable, Sendable {
            public var phase: String
            public var done: Int
            public var total: Int
            public var loss: Double?
            public var text: String
            public var version: Int?
            public var promoted: Int

            public init(
                phase: String, done: Int, total: Int, loss: Double? = nil, text: String, version: Int? = nil,
                promoted: Int
            ) {
                self.phase = phase
                self.done = done
                self.total = total
                self.loss = loss
                self.text = text
                self.version = version
                self.promoted = promoted
            }
        }
    }

    /// Lets a version serve every series of its forecaster.
    public enum Promote {
        public struct Request: Codable, Sendable {
            public var forecaster: String
            public var version: Int

            public init(forecaster: String, version: Int) {
                self.forecaster = forecaster
                self.version = version
            }
        }

        public struct Reply: Codable, Sendable {
            public var series: Int

            public init(series: Int) {
                self.series = series
            }
        }
    }

    /// Gives every series of a forecaster the version it had before. A second call in
    /// a row returns to the version just left.
    public enum Rollback {
        public struct Request: Codable, Sendable {
            public var forecaster: String

            public init(forecaster: String) {
                self.forecaster = forecaster
            }
        }

        public struct Reply: Codable, Sendable {
            public var series: Int

            public init(series: Int) {
                self.series = series
            }
        }
    }

    /// Resets the state of a series; with warm, replays its newest readings.
    public enum Reset {
        public struct Request: Codable, Sendable {
            public var series: String
            public var warm: Bool

            public init(series: String, warm: Bool) {
                self.series = series
                self.warm = warm
            }
        }

        public struct Reply: Codable, Sendable { public init() {} }
    }

    /// A consistent copy of the database while it is in use, in base64 pieces. Needs
    /// more.
    public enum Backup {
        public struct Reply: Codable, Sendable {
            public var data: String
            public var done: Double

            public init(data: String, done: Double) {
                self.data = data
                self.done = done
            }
        }
    }

    /// Removes the selected series with all their data.
    public enum Forget {
        public struct Request: Codable, Sendable {
            public var selector: String

            public init(selector: String) {
                self.selector = selector
            }
        }

        public struct Reply: Codable, Sendable {
            public var removed: [String]

            public init(removed: [String]) {
                self.removed = removed
            }
        }
    }

    /// Removes at once what is past its retention, which the daemon by itself would
    /// do over days, and series that were silent for longer than silent_series_ttl.
    /// Time is the time that is used as now.
    public enum Expire {
        public struct Reply: Codable, Sendable {
            public var time: String

            public init(time: String) {
                self.time = time
            }
        }
    }

    /// Reads the configuration again.
    public enum Reload {
        public struct Reply: Codable, Sendable {
            public var text: String

            public init(text: String) {
                self.text = text
            }
        }
    }
}
