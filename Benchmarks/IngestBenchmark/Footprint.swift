import Foundation

/// What a process has used so far, as /proc tells it.
struct Footprint {
    let cpuSeconds: Double
    let writtenBytes: Int
    let residentMiB: Int

    init(_ pid: Int32) {
        func read(_ name: String) -> String {
            (try? String(contentsOfFile: "/proc/\(pid)/\(name)", encoding: .utf8)) ?? ""
        }
        func number(_ key: String, in text: String) -> Int {
            let line = text.split(separator: "\n").first { $0.hasPrefix(key) } ?? ""
            return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
        }
        // The name may hold spaces; utime and stime are the 12th and 13th word after it.
        let words = read("stat").split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = words.count > 12 ? (Double(words[11]) ?? 0) + (Double(words[12]) ?? 0) : 0
        cpuSeconds = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        writtenBytes = number("write_bytes:", in: read("io"))
        residentMiB = number("VmRSS:", in: read("status")) / 1_024
    }
}

/// One line of the table.
struct Row {
    let name: String
    let readings: Int
    let seconds: Double
    let before: Footprint
    let after: Footprint

    var rate: Double { Double(readings) / seconds }

    func printed(beside peer: Row?) {
        let ratio = peer.map { String(format: "%.2f", rate / $0.rate) } ?? "–"
        let cells = [
            name, "\(Int(rate))", String(format: "%.1f", seconds),
            String(format: "%.1f", after.cpuSeconds - before.cpuSeconds),
            String(format: "%.1f", Double(after.writtenBytes - before.writtenBytes) / Double(readings)),
            "\(after.residentMiB)", ratio,
        ]
        print("| " + cells.joined(separator: " | ") + " |")
        fflush(nil)
    }

    static func printHead() {
        print("| what | readings/s | wall s | CPU s | bytes written per reading | resident MiB | × InfluxDB |")
        print("|---|---|---|---|---|---|---|")
    }
}
