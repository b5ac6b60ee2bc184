import Foundation

/// InfluxDB 1.6 on loopback with a folder of its own; it syncs each write, as it does by default.
final class InfluxDB {
    private let folder: Folder
    private let child: Child
    private let port: UInt16

    static let program = "/usr/bin/influxd"
    var pid: Int32 { child.pid }

    init() throws {
        folder = try Folder()
        port = UInt16.random(in: 20_000..<60_000)
        let port = port
        let text = """
            reporting-disabled = true
            bind-address = "127.0.0.1:\(port + 1)"
            [meta]
              dir = "\(folder.path)/meta"
            [data]
              dir = "\(folder.path)/data"
              wal-dir = "\(folder.path)/wal"
              query-log-enabled = false
            [monitor]
              store-enabled = false
            [http]
              bind-address = "127.0.0.1:\(port)"
              log-enabled = false
            """
        let file = folder.path + "/influxdb.conf"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        child = try Child(Self.program, ["run", "-config", file], log: folder.path + "/log")
        try child.waiting {
            try Connection(port: port).post("/query?q=CREATE%20DATABASE%20b", [], status: "200")
        }
    }

    /// Feeds `slots` of `load`, the same lines in the same requests as ``Nilod``, over connections that stay open.
    ///
    /// - Returns: the seconds until the last request was answered.
    func feed(_ load: Load, _ slots: Range<Int>, _ shape: Shape) throws -> Double {
        let (requests, port) = (load.requests(slots, shape), port)
        return timed(shape.senders) { sender in
            let connection = try Connection(port: port)
            for request in requests[sender] { try connection.post("/write?db=b", request, status: "204") }
        }
    }

    /// The readings it has, so that what it acknowledged is known to be there.
    func count() throws -> Int {
        let connection = try Connection(port: port)
        let query = "/query?db=b&q=SELECT%20count(t)%20FROM%20room"
        try connection.send(Array("GET \(query) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
        var reply: [UInt8] = []
        while case let piece = connection.receive(), !piece.isEmpty { reply += piece }
        let text = String(decoding: reply, as: UTF8.self)
        guard let last = text.split(separator: ",").last.flatMap({ Int($0.prefix { $0.isNumber }) }) else {
            throw Failure("InfluxDB answered: \(text)")
        }
        return last
    }
}
