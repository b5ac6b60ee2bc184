import Storage

/// Why the engine refused a request.
public enum EngineError: Error, Equatable, CustomStringConvertible {
    case unknownSeries(String, nearest: [String])
    case unknownForecaster(String, known: [String])
    case unknownMethod(String, known: [String])
    case unknownVersion(Int, forecaster: String, known: [Int])
    case noForecaster(series: String)
    case notTrainable(forecaster: String, method: String)
    case nothingToRollBack(forecaster: String)
    case notReady(String)
    /// The series' model runs in a plugin process that does not respond.
    case absent(series: String, method: String)
    /// The series' model returned values that are not finite or beyond 1e30.
    case notFinite(series: String, forecaster: String, version: Int)
    case storageFull
    case stopping
    case threadFailed(name: String, code: Int32)
    case unusableVersion(Int, forecaster: String, reason: String)
    case trainingFailed(forecaster: String, reason: String)

    public var description: String {
        switch self {
        case .unknownSeries(let name, let nearest):
            "no series \"\(name)\"" + Self.suggestion(nearest)
        case .unknownForecaster(let name, let known):
            "no forecaster \"\(name)\"; the configuration has \(known.joined(separator: ", "))"
        case .unknownMethod(let name, let known):
            "no forecasting method \"\(name)\"; this daemon has \(known.joined(separator: ", "))"
        case .unknownVersion(let number, let forecaster, let known):
            "\(forecaster) has no version \(number); it has \(known.map(String.init).joined(separator: ", "))"
        case .noForecaster(let series):
            "no forecaster of the configuration selects \"\(series)\"; add its name to a forecaster's series and reload"
        case .notTrainable(let forecaster, let method):
            "\(forecaster) uses \(method), which needs no training"
        case .nothingToRollBack(let forecaster):
            "\(forecaster) has only had one model so far; there is nothing to go back to"
        case .notReady(let reason): reason
        case .absent(let series, let method):
            "\"\(series)\" has no forecast now: the plugin \(method) gives no answer; `niloctl plugins` says why"
        case .notFinite(let series, let forecaster, let version):
            "\"\(series)\" has no forecast now: version \(version) of \(forecaster) gives numbers that are not finite or beyond "
                + "1e30; start its state anew (`niloctl reset`), or let another version serve (`niloctl promote`)"
        case .storageFull:
            "the disk is full: readings are refused until there is room again; free some space, no restart is needed"
        case .stopping: "the daemon is stopping; try again when it runs"
        case .threadFailed(let name, let code):
            "could not start the thread \(name) (error \(code)); raise the thread limit"
        case .unusableVersion(let number, let forecaster, let reason):
            "version \(number) of \(forecaster) cannot serve: \(reason)"
        case .trainingFailed(let forecaster, let reason): "training \(forecaster) failed: \(reason)"
        }
    }

    /// The error for a version whose horizon or quantiles differ from the configuration's.
    static func specificationMismatch(_ version: ModelVersion, _ forecaster: String) -> EngineError {
        .unusableVersion(
            version.number, forecaster: forecaster,
            reason: "it was made for another horizon or other quantiles than the configuration has now; train a new one"
        )
    }

    private static func suggestion(_ nearest: [String]) -> String {
        nearest.isEmpty ? "" : "; did you mean " + nearest.map { "\"\($0)\"" }.joined(separator: " or ") + "?"
    }
}
