import Foundation

/// Durable ingest beside InfluxDB. Arguments name the parts to run; without any, all run.
@main
struct IngestBenchmark {
    static func main() async throws {
        signal(SIGPIPE, SIG_IGN)
        let wanted = Set(CommandLine.arguments.dropFirst())
        func runs(_ part: String) -> Bool { wanted.isEmpty || wanted.contains(part) }
        if wanted.isEmpty || wanted.contains(where: { $0.contains("-") }) { Row.printHead() }
        let shapes = [
            (1_000, 8, false), (10_000, 8, false), (1_000, 50, false), (1_000, 1, false), (10_000, 1, false),
            (1_000, 8, true), (1_000, 1, true), (10_000, 1, true),
        ]
        for (count, senders, isLarge) in shapes {
            let load = Load(seriesCount: count, slots: prefix + readings / count)
            let shape = isLarge ? Shape.large(load, senders: senders) : Shape(senders: senders)
            let part = "\(count)" + (isLarge ? "-large-\(senders)" : senders == 8 ? "" : "-\(senders)")
            let name = "\(count) series, \(senders) × \(shape.lines(load)) lines"
            var peer: Row?
            if runs("influxdb-\(part)"), FileManager.default.isExecutableFile(atPath: InfluxDB.program) {
                peer = try influxDB("InfluxDB 1.6, " + name, load, shape)
                peer?.printed(beside: nil)
            }
            if runs("nilod-\(part)") { try nilod("nilod, " + name, load, shape).printed(beside: peer) }
        }
        let recipeSlots = ProcessInfo.processInfo.environment["RECIPE_SLOTS"].flatMap { Int($0) }
        for count in [1_000, 10_000] where runs("recipe-\(count)") {
            let load = Load(seriesCount: count, slots: prefix + (recipeSlots ?? readings / 5 / count))
            let name = "nilod, the whole recipe, 24 leads × 11 quantiles, \(count) series"
            try nilod(name, load, Shape(), recipe: "residual").printed(beside: nil)
        }
        for count in [1_000, 10_000] where runs("engine-\(count)") {
            try await engine(count).printed(beside: nil)
        }
        if runs("trickle") { try await trickle() }
        if runs("latency") { try latency() }
    }

    /// Slots before what is measured: more than the lateness, so that checkpoints are cut as they always are.
    private static let prefix = 160

    /// In each part but those of the whole recipe, which are a fifth.
    private static let readings = ProcessInfo.processInfo.environment["READINGS"].flatMap { Int($0) } ?? 1_000_000

    private static func nilod(_ name: String, _ load: Load, _ shape: Shape, recipe: String = "plain") throws -> Row {
        let nilod = try Nilod(recipe: recipe)
        try nilod.prepare(load, slots: prefix)
        let before = Footprint(nilod.pid)
        let seconds = try nilod.feed(load, prefix..<load.slots, shape)
        let count = (load.slots - prefix) * load.seriesCount
        return Row(name: name, readings: count, seconds: seconds, before: before, after: Footprint(nilod.pid))
    }

    private static func influxDB(_ name: String, _ load: Load, _ shape: Shape) throws -> Row {
        let influx = try InfluxDB()
        _ = try influx.feed(load, 0..<prefix, .large(load, senders: 8))
        let before = Footprint(influx.pid)
        let seconds = try influx.feed(load, prefix..<load.slots, shape)
        let (count, after) = ((load.slots - prefix) * load.seriesCount, Footprint(influx.pid))
        let stored = try influx.count()
        guard stored == load.slots * load.seriesCount else { throw Failure("InfluxDB stored \(stored) readings") }
        return Row(name: name, readings: count, seconds: seconds, before: before, after: after)
    }

    private static func engine(_ count: Int) async throws -> Row {
        let (alone, load) = (try await EngineAlone(), Load(seriesCount: count, slots: prefix + readings / count))
        try await alone.prepare(load, slots: prefix)
        let before = Footprint(getpid())
        let seconds = try await alone.feed(load, prefix..<load.slots)
        let after = Footprint(getpid())
        try alone.engine.stop()
        return Row(
            name: "engine alone, \(count) series", readings: (load.slots - prefix) * count, seconds: seconds,
            before: before, after: after)
    }

    private static func trickle() async throws {
        let (alone, count) = (try await EngineAlone(), 200)
        let before = Footprint(getpid())
        try await alone.trickle(count)
        try await Task.sleep(for: .seconds(3))
        let written = Footprint(getpid()).writtenBytes - before.writtenBytes
        try alone.engine.stop()
        print("one reading at a time, ten a second, nobody waiting: \(written / count) bytes written per reading")
    }

    private static func latency() throws {
        let seconds = ProcessInfo.processInfo.environment["LATENCY_SECONDS"].flatMap(Double.init) ?? 60
        var latency = try Latency(seconds: seconds, rounds: 5)
        try latency.run()
    }
}
