import ControlInterface
import Foundation
import TestSupport
import Testing
import Varlink

/// 500 connections to a process that may open 64 files: what happens is in the log, and costs no time.
@Suite(.serialized, .timeLimit(.minutes(10))) struct CrowdTests {
    @Test("a crowd on the control socket is refused politely, does not spin, and does not starve ingest")
    func crowdOfTheDaemon() async throws {
        try await blocking {
            let daemon = try Daemon(in: TemporaryFolder(), "", descriptors: 64)
            let feeding = try VarlinkClient(path: daemon.socket)
            #expect(try Self.ingest(feeding, 0) == 1)
            try Self.crowded(daemon.socket, 500) { crowd in
                #expect(daemon.process.says("refusing connections: 21 are open"))
                let last = try #require(crowd.last)
                let refusal = #expect(throws: VarlinkError.self) {
                    try last.call(Control.qualified("GetStatus"), as: Control.GetStatus.Reply.self)
                }
                #expect(refusal?.name == Control.qualified("Busy"))
                let seconds = Self.cpuOfASecond(of: daemon.process)
                #expect(seconds < 0.3)
                for number in 1...20 {
                    let accepted = try Self.ingest(feeding, number)
                    #expect(accepted == 1)
                }
            }
        }
    }

    @Test("a full table of descriptors pauses accepting with a line in the log, and heals")
    func fullTable() async throws {
        try await blocking {
            let path = try TemporaryFolder().path("crowd")
            let service = try ChildProcess("CertificationPeer", ["serve", path], descriptors: 32)
            #expect(service.says("ready"))
            let first = try VarlinkClient(path: path)
            #expect(try first.interfaceText("org.varlink.service").contains("GetInfo"))
            try Self.crowded(path, 100) { _ in
                #expect(service.says("cannot accept connections"))
                let seconds = Self.cpuOfASecond(of: service)
                #expect(seconds < 0.3)
                let text = try first.interfaceText("org.varlink.service")
                #expect(text.contains("GetInfo"))
            }
            #expect(try VarlinkClient(path: path).interfaceText("org.varlink.service").contains("GetInfo"))
        }
    }

    /// Runs `body` while `count` connections are open that say nothing.
    private static func crowded(_ path: String, _ count: Int, _ body: ([VarlinkClient]) throws -> Void) throws {
        let crowd = try (0..<count).map { _ in try VarlinkClient(path: path) }
        try withExtendedLifetime(crowd) { try body(crowd) }
    }

    /// Readings that were accepted of one line.
    private static func ingest(_ client: VarlinkClient, _ number: Int) throws -> Int {
        let question = Control.Ingest.Request(text: "room,id=1 t=\(number) \(1_700_000_000 + number)", precision: "s")
        return try client.call(Control.qualified("Ingest"), question, as: Control.Ingest.Reply.self).accepted
    }

    /// CPU seconds that `child`, which lives on, uses within one second.
    private static func cpuOfASecond(of child: ChildProcess) -> Double {
        let before = child.cpuSeconds
        #expect(!child.ends(within: .seconds(1)))
        return child.cpuSeconds - before
    }
}
