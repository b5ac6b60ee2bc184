import Dispatch
import Glibc
import PluginHost
import Synchronization
import TestSupport
import Testing

@Suite("What the launcher gives a child")
struct LaunchTests {
    /// Collects what a child says until it has ended.
    private final class Transcript: Sendable {
        let lines = Mutex<[String]>([])
        let status = Mutex<PluginHost.ExitStatus?>(nil)
        let over = DispatchSemaphore(value: 0)
    }

    private func run(_ script: String, input: Int32, limits: ChildLimits = ChildLimits()) throws -> Transcript {
        let transcript = Transcript()
        let order = ChildCommand(launcher: nilod, command: ["sh", "-c", script], directory: "/usr", limits: limits)
        _ = try LaunchedChild(order, input: input) { line in
            transcript.lines.withLock { $0.append(line) }
        } ended: { status in
            transcript.status.withLock { $0 = status }
            transcript.over.signal()
        }
        guard transcript.over.wait(timeout: .now() + 60) == .success else {
            let lines = transcript.lines.withLock { $0 }
            throw TestError("waited a minute in vain until nobody is left of what says \(lines)")
        }
        return transcript
    }

    @Test("a socket as descriptor 3, its own process number, its limits and its folder; nothing else is open")
    func socket() throws {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        // Left open on purpose, and not marked to be closed.
        let leak = Glibc.open("/dev/zero", O_RDONLY)
        defer { close(leak) }
        let limits = ChildLimits(memory: 512 << 20, files: 77, processes: 333, niceness: 5)
        let script = """
            echo $LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID - $$)) $NOTIFY_SOCKET; pwd; ulimit -n; ulimit -d; nice
            awk '/Max processes/ { print $3 }' /proc/self/limits
            ls -l /proc/self/fd
            exit 7
            """
        let transcript = try run(script, input: ends[1], limits: limits)
        let lines = transcript.lines.withLock { $0 }
        let memory = Sanitizer.isThread ? "unlimited" : "\(512 << 10)"
        #expect(lines.prefix(6) == ["1 varlink 0", "/usr", "77", memory, "5", "333"])
        let open = Self.descriptors(lines)
        #expect(open.count == 4 && open[0] == "0 -> /dev/null" && open[3].hasPrefix("3 -> socket:"), "\(lines)")
        #expect(transcript.status.withLock { $0 }?.code == 7)
    }

    @Test("a pipe stays standard input, and there is no descriptor 3")
    func pipe() throws {
        let null = open("/dev/null", O_RDONLY)
        defer { close(null) }
        let lines = try run("ls -l /proc/self/fd", input: null).lines.withLock { $0 }
        #expect(Self.descriptors(lines).count == 3, "\(lines)")
    }

    /// What `ls -l` shows, without the folder that it reads itself.
    private static func descriptors(_ lines: [String]) -> [String] {
        lines.filter { $0.contains(" -> ") && !$0.contains("/proc/") }
            .map { $0.split(separator: " ").suffix(3).joined(separator: " ") }
    }

    @Test("a program that is not there is told, exit code 127")
    func missing() throws {
        let null = open("/dev/null", O_RDONLY)
        defer { close(null) }
        let transcript = try run("exec /nowhere/at/all", input: null)
        #expect(transcript.status.withLock { $0 }?.code == 127)
    }

    @Test("it kills whatever its command leaves behind, in other sessions too")
    func leftovers() throws {
        let null = open("/dev/null", O_RDONLY)
        defer { close(null) }
        // Should it not, they are gone after ten minutes.
        let script = "setsid sh -c 'sleep 600' >/dev/null 2>&1 & echo $!; sh -c 'sleep 600 & echo $!'"
        let lines = try run(script, input: null).lines.withLock { $0 }
        #expect(lines.count == 2)
        for pid in lines.compactMap({ Int32($0) }) { #expect(kill(pid, 0) == -1, "\(pid) is still there") }
    }

    @Test("a crowd of a thousand is gone as soon as a single one: they are not looked for once for each of them")
    func crowd() throws {
        let null = open("/dev/null", O_RDONLY)
        defer { close(null) }
        let (isReady, over) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        // Half of them in sessions of their own. Should they be left, they are gone after ten minutes.
        let script = """
            for n in $(seq 500); do sleep 600 & setsid sleep 600 & done >/dev/null 2>&1
            echo ready; wait
            """
        let limits = ChildLimits(processes: 100_000)
        let order = ChildCommand(launcher: nilod, command: ["sh", "-c", script], directory: "/", limits: limits)
        let child = try LaunchedChild(order, input: null) { line in
            if line == "ready" { isReady.signal() }
        } ended: { _ in
            over.signal()
        }
        #expect(isReady.wait(timeout: .now() + 120) == .success)
        child.end()
        // One look a process took more than ten seconds on an idle machine.
        #expect(over.wait(timeout: .now() + 6) == .success)
    }

    @Test("the next start comes twice as late each time up to a minute, with jitter, for ever, until it serves well")
    func backoff() {
        var backoff = Backoff()
        let pauses = (0..<2_000).map { _ in backoff.next() }
        for (place, pause) in pauses.enumerated() {
            let middle = place < 10 ? 0.1 * Double(1 << place) : 60
            #expect((0.75 * min(60, middle)...1.25 * min(60, middle)).contains(pause), "\(place): \(pause)")
        }
        #expect(Set(pauses).count > 1_000)
        backoff.reset()
        #expect(backoff.next() <= 0.125)
    }
}
