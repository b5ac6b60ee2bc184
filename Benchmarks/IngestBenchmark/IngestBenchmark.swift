import Foundation

/// Durable ingest beside InfluxDB. Arguments name the parts to run; without any, all run.
@main
struct IngestBenchmark {
    static func main() async throws {
        signal(SIGPIPE, SIG_IGN)
        let wanted = Set(CommandLine.arguments.dropFirst())
        func runs(_ part: String) -> Bool { wanted.isEmpty || wanted.contains(part) }
        var rows: [Row] = []
        if runs("influxdb"), FileManager.default.isExecutableFile(atPath: InfluxDB.program) {
            rows.append(try influxDB())
        }
        for count in [1_000, 10_000] where runs("nilod-\(count)") { rows.append(try nilod(count)) }
        for count in [1_000, 10_000] where runs("engine-\(count)") { rows.append(try await engine(count)) }
        if !rows.isEmpty { Row.printHead() }
        for row in rows { row.printed(beside: rows.first { $0.name.hasPrefix("InfluxDB") }) }
        if runs("trickle") { try await trickle() }
        if runs("latency") { try latency() }
    }

    /// Slots before what is measured: more than the lateness, so that checkpoints are cut as they always are.
    private static let prefix = 160

    private static func load(_ count: Int) -> Load { Load(seriesCount: count, slots: prefix + 1_000_000 / count) }

    private static func nilod(_ count: Int) throws -> Row {
        let (nilod, load) = (try Nilod(), load(count))
        try nilod.prepare(load, slots: prefix)
        let before = Footprint(nilod.pid)
        let seconds = try nilod.feed(load, prefix..<load.slots)
        return Row(
            name: "nilod, \(count) series", readings: (load.slots - prefix) * count, seconds: seconds, before: before,
            after: Footprint(nilod.pid))
    }

    private static func influxDB() throws -> Row {
        let (influx, load) = (try InfluxDB(), load(1_000))
        _ = try influx.feed(load, 0..<prefix)
        let before = Footprint(influx.pid)
        let seconds = try influx.feed(load, prefix..<load.slots)
        return Row(
            name: "InfluxDB 1.6, 1000 series", readings: (load.slots - prefix) * 1_000, seconds: seconds,
            before: before, after: Footprint(influx.pid))
    }

    private static func engine(_ count: Int) async throws -> Row {
        let (alone, load) = (try await EngineAlone(), load(count))
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
        let load = Load(seriesCount: 500, slots: prefix + 400)
        let nilod = try Nilod(trainingSteps: 4_000)
        try nilod.prepare(load, slots: prefix)
        try Latency(nilod: nilod, load: load).run(from: prefix, rounds: 3)
    }
}
