import Foundation

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A blocking stream socket.
final class Connection {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        try join(&address, "port \(port)")
    }

    deinit { close(descriptor) }

    private func join<Address>(_ address: inout Address, _ name: String) throws {
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard code == 0 else { throw Failure("cannot connect to \(name): \(String(cString: strerror(errno)))") }
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failure("cannot send: \(String(cString: strerror(errno)))") }
            sent += count
        }
    }

    /// Some bytes; empty at the end.
    func receive() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(descriptor, &buffer, buffer.count)
        return Array(buffer.prefix(max(0, count)))
    }
}

extension Connection {
    /// Posts `body` and waits for the whole answer, which has no body of its own.
    func post(_ path: String, _ body: [UInt8], status: String) throws {
        let head = "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n\r\n"
        try send(Array(head.utf8) + body)
        let reply = String(decoding: receive(), as: UTF8.self)
        guard reply.hasPrefix("HTTP/1.1 \(status)") else {
            throw Failure("expected \(status), and the answer is: \(reply)")
        }
    }
}

/// A child process in a folder of its own, ended with this value.
final class Child {
    let process = Process()
    var pid: Int32 { process.processIdentifier }

    init(_ program: String, _ arguments: [String], log: String) throws {
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        FileManager.default.createFile(atPath: log, contents: nil)
        let file = FileHandle(forWritingAtPath: log)
        process.standardOutput = file
        process.standardError = file
        try process.run()
    }

    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    deinit { stop() }

    /// Tries `body` until it succeeds or ten seconds are over.
    func waiting<T>(_ body: () throws -> T) throws -> T {
        for _ in 0..<500 {
            if let value = try? body() { return value }
            guard process.isRunning else { throw Failure("\(process.executableURL?.path ?? "") has ended") }
            usleep(20_000)
        }
        return try body()
    }
}

/// Runs `body` for every number on threads of their own; returns the seconds until the last has finished.
func timed(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) -> Double {
    let clock = ContinuousClock()
    let took = clock.measure {
        let group = DispatchGroup()
        for number in 0..<count {
            group.enter()
            Thread.detachNewThread {
                do { try body(number) } catch { fatalError("\(error)") }
                group.leave()
            }
        }
        group.wait()
    }
    return Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
}

/// A folder under /tmp (short: a socket's path has at most 107 bytes) that is removed with this value.
final class Folder {
    let path = "/tmp/nilo-bench-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}
