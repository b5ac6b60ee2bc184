import Glibc

/// Reads `/proc` and `/sys`; missing files give no fields.
enum HostFiles {
    static func counters() -> HostCounters {
        HostCounters(
            stat: text("/proc/stat") ?? "", network: text("/proc/net/dev") ?? "", disks: text("/proc/diskstats") ?? "")
    }

    static func gauges() -> [HostField] {
        load(text("/proc/loadavg") ?? "") + memory(text("/proc/meminfo") ?? "") + disk("/") + temperatures()
    }

    static func load(_ text: String) -> [HostField] {
        zip(["load1", "load5"], text.split(separator: " ").prefix(2)).compactMap { name, word in
            Double(word).map { HostField(name: name, value: $0) }
        }
    }

    static func memory(_ text: String) -> [HostField] {
        var kilobytes: [Substring: Double] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 2, let value = Double(words[1]) { kilobytes[words[0].dropLast()] = value }
        }
        guard let total = kilobytes["MemTotal"], total > 0, let free = kilobytes["MemAvailable"] else { return [] }
        let cached = kilobytes["Cached"] ?? 0
        return [
            HostField(name: "memory_used_percent", value: 100 * (total - free) / total),
            HostField(name: "memory_cached_percent", value: 100 * cached / total),
        ]
    }

    private static func disk(_ path: String) -> [HostField] {
        var status = statvfs()
        guard statvfs(path, &status) == 0, status.f_blocks > 0 else { return [] }
        // As df(1) counts: blocks reserved for root are neither used nor free.
        let used = Double(status.f_blocks - min(status.f_bfree, status.f_blocks))
        let capacity = used + Double(status.f_bavail)
        return capacity > 0 ? [HostField(name: "disk_used_percent", value: 100 * used / capacity)] : []
    }

    private static func temperatures() -> [HostField] {
        (0..<8).compactMap { zone in
            text("/sys/class/thermal/thermal_zone\(zone)/temp").flatMap { Double($0.prefix { $0 != "\n" }) }.map {
                HostField(name: "temperature", tags: [("zone", "\(zone)")], value: $0 / 1_000)
            }
        }
    }

    /// The names in a folder; none if it cannot be read.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    /// The content of a small file; nil if it cannot be opened.
    static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
