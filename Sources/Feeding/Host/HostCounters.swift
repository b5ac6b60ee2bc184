/// Monotonic counters, from which rates are computed.
struct HostCounters: Equatable {
    /// CPU ticks: busy and total.
    var busy = 0.0
    var total = 0.0
    var received = 0.0
    var sent = 0.0
    var diskRead = 0.0
    var diskWritten = 0.0

    /// The CPU load in per cent, and rates in bytes per second.
    static func rates(from previous: HostCounters, to current: HostCounters, seconds: Double) -> [HostField] {
        guard seconds > 0 else { return [] }
        func rate(_ path: KeyPath<HostCounters, Double>) -> Double {
            max(0, current[keyPath: path] - previous[keyPath: path]) / seconds
        }
        let ticks = current.total - previous.total
        return [
            HostField(name: "cpu_busy_percent", value: ticks > 0 ? 100 * (current.busy - previous.busy) / ticks : 0),
            HostField(name: "network_received_bytes", value: rate(\.received)),
            HostField(name: "network_sent_bytes", value: rate(\.sent)),
            HostField(name: "disk_read_bytes", value: rate(\.diskRead)),
            HostField(name: "disk_written_bytes", value: rate(\.diskWritten)),
        ]
    }

    /// Parses `/proc/stat`, `/proc/net/dev` and `/proc/diskstats` (proc(5)).
    init(stat: String, network: String, disks: String) {
        let ticks =
            stat.split(separator: "\n").first.map { $0.split(separator: " ").dropFirst().compactMap { Double($0) } }
            ?? []
        total = ticks.prefix(8).reduce(0, +)
        busy = total - ticks.dropFirst(3).prefix(2).reduce(0, +)
        for line in network.split(separator: "\n") {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, !halves[0].hasSuffix("lo") else { continue }
            let columns = halves[1].split(separator: " ").map { Double($0) ?? 0 }
            guard columns.count >= 9 else { continue }
            received += columns[0]
            sent += columns[8]
        }
        for line in disks.split(separator: "\n") {
            let columns = line.split(separator: " ")
            // Only whole disks: partitions would count the same bytes again.
            guard columns.count >= 10, columns[1] == "0", let read = Double(columns[5]),
                let written = Double(columns[9])
            else { continue }
            diskRead += read * 512
            diskWritten += written * 512
        }
    }

    init() {}
}
