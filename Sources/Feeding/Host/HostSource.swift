import Glibc
/// `Feeding`: what brings readings in: this machine's own sensors and the line protocol listeners.
public import TimeSeries

/// Takes readings in; suspends while the journal is behind.
public typealias IngestFunction = @Sendable ([IncomingReading]) async throws -> Void

/// This machine's own load, memory, disk, network and temperatures, read from `/proc` and `/sys`.
public actor HostSource {
    private let interval: Duration
    private let ingest: IngestFunction
    private let hostName: String
    private var before: HostCounters?
    private var beforeTime: ContinuousClock.Instant?

    /// - Parameter interval: the time between two readings of each sensor.
    public init(interval: Duration, ingest: @escaping IngestFunction) {
        self.interval = interval
        self.ingest = ingest
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        hostName = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Reads until the task is cancelled. A tick that was missed is skipped, not made up for.
    public func run() async throws {
        let clock = ContinuousClock()
        var next = clock.now
        while !Task.isCancelled {
            let readings = read(at: clock.now)
            // A full disk must not end the source: the next tick tries again.
            if !readings.isEmpty { try? await ingest(readings) }
            repeat { next += interval } while next <= clock.now
            try await clock.sleep(until: next)
        }
    }

    /// One reading of every sensor there is. Rates need two calls.
    func read(at instant: ContinuousClock.Instant) -> [IncomingReading] {
        var fields = HostFiles.gauges()
        let now = HostFiles.counters()
        if let before, let beforeTime {
            let seconds = beforeTime.duration(to: instant) / .seconds(1)
            fields += HostCounters.rates(from: before, to: now, seconds: seconds)
        }
        (before, beforeTime) = (now, instant)
        return fields.filter { $0.value.isFinite }.map { field in
            let key = SeriesKey(measurement: "host", tags: [("name", hostName)] + field.tags, field: field.name)
            return IncomingReading(key: key, timestamp: nil, value: field.value)
        }
    }
}

/// One value of the machine.
struct HostField: Equatable {
    var name: String
    var tags: [(key: String, value: String)] = []
    var value: Double

    static func == (a: HostField, b: HostField) -> Bool {
        a.name == b.name && a.value == b.value && a.tags.elementsEqual(b.tags) { $0 == $1 }
    }
}
