import Dispatch
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite("Stopping", .timeLimit(.minutes(10)))
struct StopTests {
    private static let configuration = """
        [[source]]
        kind = "unix"
        path = "SOCKET"

        [[source]]
        kind = "http"
        path = "HTTP"
        """

    @Test("a stop while connections come and go in crowds ends in order", arguments: 0..<8)
    func crowd(round: Int) async throws {
        try await blocking {
            let folder = try TemporaryFolder()
            let (lines, http) = (folder.path("lines.sock"), folder.path("http.sock"))
            let daemon = try Daemon(
                in: folder, Self.configuration.replacing("SOCKET", with: lines).replacing("HTTP", with: http))
            let (isOver, connected) = (Flag(), Counter())
            let process = daemon.process
            let requests = [
                (lines, "m v=1\n"), (http, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"),
                (daemon.socket, "{\"method\":\"org.nilometer.Control.GetStatus\"}\0"),
            ]
            let workers = (0..<6).map { worker in
                startedThread {
                    let (path, request) = requests[worker % 3]
                    while !isOver.isSet {
                        guard let peer = try? RawPeer(path) else { continue }
                        peer.send(request)
                        connected.add()
                    }
                }
            }
            // In the thick of it: each round a little later.
            while connected.count < 200 + 97 * round, !process.ends(within: .zero) { sched_yield() }
            let code = daemon.stop()
            isOver.set()
            for worker in workers { worker.wait() }
            #expect(code == 0, "\(process.standardError)")
        }
    }

    /// A thread of its own, because those of the queues may be fewer than there are workers; signals its end.
    private func startedThread(_ body: @escaping @Sendable () -> Void) -> DispatchSemaphore {
        let end = DispatchSemaphore(value: 0)
        let thread = Thread {
            body()
            end.signal()
        }
        thread.start()
        return end
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

private final class Counter: Sendable {
    private let value = Atomic(0)
    var count: Int { value.load(ordering: .relaxed) }
    func add() { value.add(1, ordering: .relaxed) }
}
