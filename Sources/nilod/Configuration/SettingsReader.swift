import Engine
import Feeding
import Forecasting
import Glibc
import LineProtocol
import Listening
import Logging
import TOMLKit
import TimeSeries

extension Settings {
    /// Reads a file; the defaults if there is none.
    ///
    /// - Throws: ``SettingsError``: file, line, key, and what would be right.
    static func load(_ path: String?) throws -> Settings {
        guard let path else { return Settings() }
        return try Settings(section(path))
    }

    /// The root table of a file.
    static func section(_ path: String) throws -> Section {
        guard let text = readFile(path) else {
            throw SettingsError(
                file: path, line: nil, key: nil, problem: "cannot be read: \(String(cString: strerror(errno)))")
        }
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw SettingsError(file: path, line: error.source.begin.line, key: nil, problem: error.description)
        }
        return Section(root, [], KeyLocator(file: path, text: text))
    }

    private static func readFile(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return ferror(file) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private static let logLevels: [Logger.Level] = [.error, .warning, .notice, .info, .debug]

    private init(_ section: Section) throws {
        stateDirectory = try section.filePath("state_dir") ?? stateDirectory
        socket = try section.socketPath("socket") ?? socket
        group = try section.string("group")
        timeZone = try section.string("time_zone") ?? timeZone
        hints = try section.boolean("hints") ?? false
        if let name = try section.string("log_level") {
            guard let level = Logger.Level(rawValue: name), Self.logLevels.contains(level) else {
                throw section.error("log_level", "one of error, warning, notice, info, debug")
            }
            logLevel = level
        }
        engine.commitDelay = try section.duration("commit_delay") ?? engine.commitDelay
        engine.retention = try section.duration("retention")
        engine.sealAfter = try section.integer("seal_after", 1...100_000_000) ?? engine.sealAfter
        engine.maxSeries = try section.integer("max_series", 1...10_000_000) ?? engine.maxSeries
        unfinishedLimit = try section.integer("max_unfinished_mib", 32...65_536).map { $0 << 20 } ?? unfinishedLimit
        engine.silentSeriesTTL = try section.duration("silent_series_ttl")
        engine.shardCount = try section.integer("shards", 1...64) ?? Self.defaultShards
        engine.otherCalendar = { LocalZone.calendar($0) }
        engine.calendar =
            try LocalZone.calendar(timeZone) ?? { throw section.error("time_zone", "a name such as Europe/Berlin") }()
        sources = try section.sections("source").map { try Source($0) }
        engine.series = try section.sections("series").map { try SeriesRule($0) }
        sinks = try section.sections("sink").map { try Sink($0) }
        pluginFolders = try (section.strings("plugin_path") ?? []) + PluginReader.defaultFolders
        plugins = PluginReader.find(in: pluginFolders)
        let methods = KnownMethods(plugins)
        engine.forecasters = try section.sections("forecaster").map { try ForecasterConfiguration($0, methods) }
        let names = engine.forecasters.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw section.error("forecaster", "different names; \"\(twice)\" is there twice")
        }
        try section.finish()
    }
}

extension Settings.Source {
    fileprivate init(_ section: Section) throws {
        location = section.location(of: "kind")
        switch try section.required("kind", section.string) {
        case "host":
            kind = .host(interval: .nanoseconds(try section.duration("every") ?? 10_000_000_000))
        case "unix": kind = .stream(try section.unixAddress(), try section.precision())
        case "unix-datagram": kind = .datagram(try section.unixAddress(), try section.precision())
        case "tcp": kind = .stream(try section.listenAddress(), try section.precision())
        case "udp": kind = .datagram(try section.listenAddress(), try section.precision())
        case "http":
            let path = try section.socketPath("path").map { ListenAddress.unix(path: $0) }
            kind = .http(try path ?? section.listenAddress())
        case "exec": kind = .exec(try section.command(), try section.precision())
        default: throw section.error("kind", "host, unix, unix-datagram, tcp, udp, http or exec")
        }
        try section.finish()
    }
}

extension Settings.Sink {
    fileprivate init(_ section: Section) throws {
        let target: Target
        switch try section.required("kind", section.string) {
        case "exec": target = .exec(try section.command())
        case "file": target = .file(try section.required("path", section.filePath))
        default: throw section.error("kind", "exec or file")
        }
        self.init(
            target: target,
            selector: try section.string("series").map { try section.selector($0, of: "series") } ?? .all,
            events: try Self.events(section), name: try section.name("name"))
        try section.finish()
    }

    private static func events(_ section: Section) throws -> Set<EngineEvent.Kind> {
        guard let words = try section.strings("events") else { return Set(EngineEvent.Kind.allCases) }
        let kinds = words.compactMap { EngineEvent.Kind(rawValue: $0) }
        guard kinds.count == words.count, !kinds.isEmpty else {
            throw section.error("events", "a list of some of \"forecast\", \"anomaly\" and \"model\"")
        }
        return Set(kinds)
    }
}

extension Section {
    fileprivate func command() throws -> [String] {
        let command = try required("command", strings)
        guard let program = command.first, !program.isEmpty else {
            throw error("command", "a list of strings, the program first")
        }
        return command
    }

    fileprivate func unixAddress() throws -> ListenAddress { .unix(path: try required("path", socketPath)) }

    /// A path that a socket can have.
    fileprivate func socketPath(_ key: String) throws -> String? {
        guard let path = try string(key) else { return nil }
        do { try SocketFile.check(path: path) } catch { throw self.error(key, error.expected) }
        return path
    }

    fileprivate func selector(_ text: String, of key: String) throws -> SeriesSelector {
        do { return try SeriesSelector(parsing: text) } catch { throw self.error(key, error.expected) }
    }

    fileprivate func listenAddress() throws -> ListenAddress {
        guard let address = ListenAddress(try required("listen", string)) else {
            throw error("listen", "a port, which this machine alone reaches, or host:port, such as \"0.0.0.0:8089\"")
        }
        return address
    }

    fileprivate func precision() throws -> Precision {
        guard let precision = Precision(rawValue: try string("precision") ?? "ns") else {
            throw error("precision", "the unit of timestamps: ns, us, ms or s")
        }
        return precision
    }
}

extension SeriesRule {
    fileprivate init(_ section: Section) throws {
        self.init(selector: try section.selector(section.required("select", section.string), of: "select"))
        cadence = try section.duration("cadence").map { nanoseconds in
            guard let cadence = Cadence(nanoseconds: nanoseconds) else {
                throw section.error("cadence", "a duration above zero, such as 1s or 5m")
            }
            return cadence
        }
        lateness = try section.duration("lateness")
        retention = try section.duration("retention")
        if let word = try section.string("aggregate") {
            guard let found = Aggregate(rawValue: word) else {
                throw section.error("aggregate", "one of mean, last, max, min, sum")
            }
            aggregate = found
        }
        try section.finish()
    }
}

extension ForecasterConfiguration {
    fileprivate init(_ section: Section, _ methods: KnownMethods) throws {
        let levels = try section.numbers("quantiles") ?? [0.05, 0.5, 0.95]
        guard let quantiles = QuantileLevels(levels) else {
            throw section.error("quantiles", "ascending numbers between 0 and 1")
        }
        self.init(
            name: try section.required("name", section.name), method: try section.string("method") ?? "lstm",
            selectors: try (section.strings("series") ?? ["*"]).map { try section.selector($0, of: "series") },
            horizon: try section.integer("horizon", 1...2_000) ?? 24, quantiles: quantiles)
        opponents = try section.strings("opponents") ?? opponents
        trainingSlots = try section.integer("training_slots", 64...1_000_000) ?? trainingSlots
        warmUpSlots = try section.integer("warm_up", 0...100_000) ?? warmUpSlots
        keepVersions = try section.integer("keep_versions", 1...1_000) ?? keepVersions
        maxGap = try section.integer("max_gap", 0...100_000) ?? maxGap
        holdout = try section.number("holdout", 0.01...0.9) ?? holdout
        margin = try section.number("margin", 0...1) ?? margin
        if let text = try section.string("retrain") {
            guard let rule = RetrainRule(text) else {
                throw section.error("retrain", "\"never\", \"every 6h\" or \"daily 03:00\"")
            }
            retrain = rule
        }
        if let word = try section.string("train_from") {
            guard ["fresh", "champion"].contains(word) else { throw section.error("train_from", "fresh or champion") }
            startsFromChampion = word == "champion"
        }
        driftRatio = try section.number("drift", 1.01...100)
        driftCooldown = try section.duration("drift_cooldown") ?? driftCooldown
        anomaly = try section.number("anomaly", 1e-9...0.5)
        anomalyCooldown = try section.duration("anomaly_cooldown") ?? anomalyCooldown
        parameters = try section.parameters("parameters")
        try checkMethods(section, methods)
        try section.finish()
    }

    private func checkMethods(_ section: Section, _ methods: KnownMethods) throws {
        let known = methods.names.joined(separator: ", ")
        for (key, name) in [("method", method)] + opponents.map({ ("opponents", $0) }) {
            guard methods.names.contains(name) else { throw section.error(key, "one of \(known), not \"\(name)\"") }
            do {
                if let manifest = methods.manifest(name) {
                    _ = try manifest.resolve(specification(of: manifest).parameters)
                }
            } catch {
                throw section.error("parameters", "\(error)")
            }
        }
        if methods.isTrainable(method), opponents.isEmpty {
            throw section.error("opponents", "at least one method without training, which serves until the first one")
        }
        for (name, table) in parameters.sorted(by: { $0.key < $1.key }) {
            guard methods.names.contains(name) else {
                throw section.error("parameters", "tables named after methods (\(known)), not \"\(name)\"")
            }
            do {
                _ = try methods.manifest(name)?.resolve(table)
            } catch {
                throw section.error("parameters", "\(error)")
            }
        }
    }
}
