import Basics

/// What has happened at least once, over all worlds.
///
/// `@unchecked Sendable`: used only by the thread that runs simulations.
public final class Coverage: @unchecked Sendable {
    public private(set) var counts: [String: Int] = [:]

    public init() {
        #if SIMULATION
            Place.reach = { [weak self] in self?.note($0.rawValue) }
        #endif
    }

    /// What never happened, and should.
    public var missing: [String] { Self.expected.filter { counts[$0] == nil } }

    func note(_ event: String, _ count: Int = 1) { counts[event, default: 0] += count }
}

extension Coverage {
    /// The branches of the engine, in a build that counts them.
    private static var places: [String] {
        #if SIMULATION
            Place.allCases.map(\.rawValue)
        #else
            []
        #endif
    }

    /// What some worlds of many have to see.
    static let expected: [String] =
        [
            "a watcher stalled", "a year passed", "anomaly told", "asked",
            "backed up",
            "bit rot named", "bit rot refused at the start", "bit rot without effect", "clock jumped ahead",
            "clock jumped back", "clock set right", "clock unset", "compared", "daemon started", "died at the start",
            "died of a fault", "expired", "forecast compared", "forecast told", "events lost", "forgot", "full slot",
            "hours passed", "lines", "lines with bad neighbours", "refused: the clock is not set",
            "removed for its silence", "scores compared",
            "late readings", "model change told", "models came back", "plugin does not start", "plugin hangs",
            "plugin is back", "promote", "refused: from the future", "refused: the disk is full", "reloaded",
            "reloaded with another cadence", "reset", "restored", "rollBack", "sent again", "start failed",
            "state compared", "training due", "trained, wins", "trained, winsSome",
            "trained, loses", "trained, nanScores", "training failed, fails", "training failed, hangs",
            "training failed, garbledWeights", "training failed, garbledResult", "unanswered batch was not stored",
            "unanswered batch was stored",
        ] + (1...8).map { "upgraded from schema \($0)" } + places
        + MemoryDisk.faultNames.map { "disk: \($0.key)" }
}
