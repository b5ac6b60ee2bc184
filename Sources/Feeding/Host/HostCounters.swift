/// Monotonic counters, from which rates are computed.
package struct HostCounters: Equatable {
    /// CPU ticks: busy and total.
    package private(set) var busy = 0.0
    package private(set) var total = 0.0
    package private(set) var received = 0.0
    package private(set) var sent = 0.0
    package private(set) var diskRead = 0.0
    package private(set) var diskWritten = 0.0

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
    package init(stat: String, network: String, disks: String) {
        let ticks =
            stat.split(separator: "\n").first.map { $0.split(separator: " ").dropFirst().compactMap { Double($0) } }
            ?? []
        total = ticks.prefix(8).reduce(0, +)
        busy = total - ticks.dropFirst(3).prefix(2).reduce(0, +)
        for line in network.split(separator: "\n") {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, halves[0].drop(while: { $0 == " " }) != "lo" else { continue }
            let columns = halves[1].split(separator: " ").map { Double($0) ?? 0 }
            guard columns.count >= 9 else { continue }
            received += columns[0]
            sent += columns[8]
        }
        let rows = disks.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count >= 10 }
        let names = Set(rows.map { $0[2] })
        for row in rows where Self.isWholeDisk(row[2], among: names) {
            guard let read = Double(row[5]), let written = Double(row[9]) else { continue }
            diskRead += read * 512
            diskWritten += written * 512
        }
    }

    init() {}

    /// Only whole disks count: partitions, and devices on top of disks, would count the same bytes again.
    private static func isWholeDisk(_ name: Substring, among names: Set<Substring>) -> Bool {
        if ["loop", "ram", "zram", "dm-", "md", "sr", "fd"].contains(where: { name.hasPrefix($0) }) { return false }
        // sda1 is a part of sda, nvme0n1p1 of nvme0n1.
        var disk = name
        while disk.last?.isNumber ?? false { disk.removeLast() }
        if disk != name, names.contains(disk) { return false }
        return !(disk.last == "p" && names.contains(disk.dropLast()))
    }
}
