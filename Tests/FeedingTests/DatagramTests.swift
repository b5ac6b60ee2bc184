import Feeding
import Glibc
import LineProtocol
import Listening
import TestSupport
import Testing
import TimeSeries

@Suite("Line protocol in datagrams", .timeLimit(.minutes(10)))
struct DatagramTests {
    /// From a socket without a name of its own.
    private func send(_ texts: [String], to address: ListenAddress) throws {
        switch address {
        case .internet(_, let port):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = in_port_t(UInt16(port).bigEndian)
            name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            try send(texts, AF_INET, &name)
        case .unix(let path):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
            try send(texts, AF_UNIX, &name)
        }
    }

    private func send<Name>(_ texts: [String], _ family: Int32, _ name: inout Name) throws {
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        for text in texts {
            let sent = withUnsafeBytes(of: &name) { name in
                text.withCString { bytes in
                    sendto(
                        descriptor, bytes, strlen(bytes), 0, name.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                        socklen_t(name.count))
                }
            }
            try #require(sent == text.utf8.count)
        }
    }

    @Test("datagrams of UDP and of a Unix socket become readings, each by itself", arguments: [false, true])
    func readings(isUnix: Bool) async throws {
        let (commits, counters, folder) = (Commits(), FeedCounters(), try TemporaryFolder())
        let address =
            isUnix ? ListenAddress.unix(path: folder.url.path + "/d.sock") : .internet(host: "127.0.0.1", port: 0)
        let listener = DatagramListener(
            address: address, precision: .milliseconds, counters: counters, commit: commits.commit)
        let found = try await withListener(listener.run) { address in
            try send(["a f=1 5\nb f=x\na f=2 6\n", "c s=\"open", "d f=3 7", ""], to: address)
            return await commits.wait(for: 3)
        }
        #expect(found.map(\.value) == [1, 2, 3])
        #expect(found.last?.timestamp == Timestamp(nanoseconds: 7_000_000))
    }

    @Test("readings of datagrams that could not be committed are counted")
    func failedCommit() async throws {
        struct Failure: Error {}
        let counters = FeedCounters()
        let (attempts, announce) = AsyncStream.makeStream(of: Void.self)
        let listener = DatagramListener(
            address: .internet(host: "127.0.0.1", port: 0), precision: .seconds, counters: counters
        ) { _ in
            announce.yield()
            throw Failure()
        }
        try await withListener(listener.run) { address in
            try send(["a f=1 5\na f=2 6\n"], to: address)
            _ = await attempts.first { _ in true }
            try wait(until: "they are counted") { counters.current.lostReadings == 2 }
        }
    }

    @Test("a port that another program has is named with that program", arguments: ["tcp", "udp"])
    func portTaken(transport: String) async throws {
        let (descriptor, port) = try taken(transport == "tcp" ? SOCK_STREAM : SOCK_DGRAM)
        defer { close(descriptor) }
        let address = ListenAddress.internet(host: "127.0.0.1", port: port)
        let (counters, budget) = (FeedCounters(), MemoryBudget(limit: 1 << 20))
        let error = await #expect(throws: FeedingError.self) {
            if transport == "tcp" {
                try await LineListener(
                    address: address, precision: .seconds, counters: counters, unfinished: budget, log: { _ in },
                    commit: Commits().commit
                ).run { _ in }
            } else {
                try await DatagramListener(
                    address: address, precision: .seconds, counters: counters, commit: Commits().commit
                ).run { _ in }
            }
        }
        #expect(error?.description.contains("(process \(getpid()))") ?? false, "\(error?.description ?? "")")
        #expect(error?.description.hasPrefix("cannot listen on 127.0.0.1:\(port): ") ?? false)
    }

    /// A socket on a port of the system's choice.
    private func taken(_ type: __socket_type) throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutableBytes(of: &name) { bytes in
            guard let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(descriptor, address, size) == 0 && getsockname(descriptor, address, &size) == 0
        }
        try #require(isBound)
        if type == SOCK_STREAM { try #require(listen(descriptor, 1) == 0) }
        return (descriptor, Int(UInt16(bigEndian: name.sin_port)))
    }

    @Test("datagrams that find the queue full are dropped and counted")
    func full() async throws {
        let (commits, counters) = (Commits(), FeedCounters())
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let (started, announce) = AsyncStream.makeStream(of: Void.self)
        let listener = DatagramListener(
            address: .internet(host: "127.0.0.1", port: 0), precision: .nanoseconds, counters: counters, queueLimit: 2
        ) { readings in
            announce.yield()
            // Until the test has seen the drops.
            for await _ in gate { break }
            return try await commits.commit(readings)
        }
        try await withListener(listener.run) { address in
            try send(["a f=0"], to: address)
            for await _ in started { break }
            try send((1...5).map { "a f=\($0)" }, to: address)
            while counters.current.droppedDatagrams < 3 {
                try Task.checkCancellation()
                await Task.yield()
            }
            open.finish()
            #expect(await commits.wait(for: 3).map(\.value) == [0, 1, 2])
        }
        #expect(counters.current.droppedDatagrams == 3)
    }
}
