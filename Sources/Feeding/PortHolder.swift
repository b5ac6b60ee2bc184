import Glibc

/// Finds the program that uses a port, in /proc; see proc(5).
enum PortHolder {
    /// - Parameter transport: tcp or udp.
    /// - Returns: "influxd (process 812)"; nil if there is none, or this user may not see its files.
    static func find(port: Int, _ transport: String) -> String? {
        let inodes = Set(
            ["/proc/net/\(transport)", "/proc/net/\(transport)6"].flatMap { table in
                HostFiles.text(table).map { Self.inodes(in: $0, port: port, transport) } ?? []
            })
        guard !inodes.isEmpty else { return nil }
        let links = Set(inodes.map { "socket:[\($0)]" })
        for process in HostFiles.names(in: "/proc") where process.allSatisfy(\.isNumber) {
            let folder = "/proc/\(process)/fd"
            guard HostFiles.names(in: folder).contains(where: { links.contains(target(of: "\(folder)/\($0)")) }) else {
                continue
            }
            let name = HostFiles.text("/proc/\(process)/comm")?.prefix { $0 != "\n" } ?? "a program"
            return "\(name) (process \(process))"
        }
        return nil
    }

    /// The inodes of the sockets that listen on `port`. The second column of the table is the local address in
    /// hexadecimal, the fourth the state, the tenth the inode.
    static func inodes(in table: String, port: Int, _ transport: String) -> [String] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let columns = line.split(separator: " ", omittingEmptySubsequences: true)
            guard columns.count > 9, let colon = columns[1].lastIndex(of: ":"),
                Int(columns[1][columns[1].index(after: colon)...], radix: 16) == port,
                transport == "udp" || columns[3] == "0A"
            else { return nil }
            return String(columns[9])
        }
    }

    private static func target(of link: String) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink(link, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
