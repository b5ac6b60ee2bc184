import Glibc
/// `Feeding`: the sources of readings: this machine's own sensors and the line protocol listeners.
public import TimeSeries

/// Ingests readings; suspends while the journal is behind.
public typealias IngestFunction = @Sendable ([IncomingReading]) async throws -> Void

/// Reads this machine's own load, memory, disk, network and temperatures from `/proc` and `/sys`.
public actor HostSource {
    private let interval: Duration
    private let ingest: IngestFunction
    private let hostName: String
    private var previous: HostCounters?
    private var previousTime: ContinuousClock.Instant?

    /// - Parameter interval: the time between two readings of each sensor.
    public init(interval: Duration, ingest: @escaping IngestFunction) {
        self.interval = interval
        self.ingest = ingest
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        hostName = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Reads until the task is cancelled. Missed ticks are skipped.
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

    /// One reading of every available sensor. Rates need two calls.
    func read(at instant: ContinuousClock.Instant) -> [IncomingReading] {
        var fields = HostFiles.gauges()
        let now = HostFiles.counters()
        if let previous, let previousTime {
            let seconds = previousTime.duration(to: instant) / .seconds(1)
            fields += HostCounters.rates(from: previous, to: now, seconds: seconds)
        }
        (previous, previousTime) = (now, instant)
        return fields.filter { $0.value.isFinite }.map { field in
            let key = SeriesKey(measurement: "host", tags: [("name", hostName)] + field.tags, field: field.name)
            return IncomingReading(key: key, timestamp: nil, value: field.value)
        }
    }
}

/// One measured value of the machine.
struct HostField: Equatable {
    var name: String
    var tags: [(key: String, value: String)] = []
    var value: Double

    static func == (a: HostField, b: HostField) -> Bool {
        a.name == b.name && a.value == b.value && a.tags.elementsEqual(b.tags) { $0 == $1 }
    }
}
