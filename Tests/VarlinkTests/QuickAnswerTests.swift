import Foundation
import TestSupport
import Testing
import Varlink

@Suite(.timeLimit(.minutes(10))) struct QuickAnswerTests {
    private static func call(_ wait: Bool, _ number: Int, bytes: Int = 0, flags: String = "") -> String {
        #"{"method":"org.example.Test.Place","parameters":{"wait":\#(wait),"number":\#(number),"bytes":\#(bytes)}\#(flags)}"#
            + "\0"
    }

    private static func reply(_ how: String, _ number: Int) -> String {
        #"{"parameters":{"how":"\#(how)","number":\#(number),"text":""}}"#
    }

    /// What comes back of `calls`, sent at one time.
    private static func replies(_ count: Int, to calls: String) async throws -> [String] {
        let (found, finding) = AsyncStream.makeStream(of: [String].self)
        try await TestService.run { service in
            finding.yield(
                try await blocking {
                    let peer = try RawPeer(service.path)
                    peer.send(calls)
                    return peer.receive(count)
                })
        }
        return await found.first { _ in true } ?? []
    }

    @Test("a call that needs no waiting is answered at once, and the others in turn")
    func atOnce() async throws {
        #expect(try await Self.replies(1, to: Self.call(false, 1)) == [Self.reply("at once", 1)])
        #expect(try await Self.replies(1, to: Self.call(true, 1)) == [Self.reply("in turn", 1)])
        let many = try await Self.replies(3, to: (1...3).map { Self.call(false, $0) }.joined())
        #expect(many == (1...3).map { Self.reply("at once", $0) })
        #expect(
            try await Self.replies(1, to: Self.call(false, 1, flags: #","more":true"#)) == [Self.reply("at once", 1)])
    }

    @Test("an answer at once does not overtake an earlier one")
    func order() async throws {
        let numbers = 0..<3_000
        let calls = numbers.map { Self.call($0 % 7 < 2, $0) }
        try await TestService.run { service in
            let frames = try await blocking {
                let peer = try RawPeerBox(service.path)
                // In pieces of every size, so that calls arrive before, with and after the answers of those before them.
                Thread.detachNewThread {
                    var (rest, size) = (calls[...], 1)
                    while !rest.isEmpty {
                        peer.peer.send(rest.prefix(size).joined())
                        rest = rest.dropFirst(size)
                        size = size % 11 + 1
                    }
                }
                return peer.peer.receive(numbers.count)
            }
            let found = try frames.map { try JSONDecoder().decode(Frame.self, from: Data($0.utf8)).parameters }
            #expect(found.map(\.number) == Array(numbers))
            #expect(found.allSatisfy { $0.number % 7 >= 2 || $0.how == "in turn" })
        }
    }

    private struct Frame: Decodable { let parameters: TestService.PlaceReply }

    @Test(
        "what the quick answer is not for has the ordinary reply",
        arguments: [
            (#"{"wait":false}"#, ""), (#"{"wait":false,"number":"x"}"#, ""), (#"{"wait":false,"number":1,"a":1}"#, ""),
            (#"{"wait":false,"number":1}"#, #","upgrade":true"#), ("[]", ""),
        ])
    func mistakes(parameters: String, flags: String) async throws {
        let call = #"{"method":"org.example.Test.Place","parameters":\#(parameters)\#(flags)}"# + "\0"
        let frames = try await Self.replies(1, to: call)
        #expect(frames.first?.hasPrefix(#"{"error":"org.varlink.service."#) == true)
    }

    @Test("a oneway call has no reply")
    func oneway() async throws {
        let frames = try await Self.replies(
            1, to: Self.call(false, 1, flags: #","oneway":true"#) + Self.call(true, 2))
        #expect(frames == [Self.reply("in turn", 2)])
    }

    @Test("a peer that does not read is not answered without end, and dropped with a reason")
    func deafPeer() async throws {
        var limits = ServiceLimits()
        limits.outboundBytes = 65_536
        limits.stall = .milliseconds(300)
        try await TestService.run(limits: limits) { service in
            let deaf = try await blocking { try RawPeerBox(service.path) }
            try await blocking {
                for number in 0..<2_000 where !deaf.peer.send(Self.call(false, number, bytes: 10_000)) { break }
            }
            #expect(await service.logged("does not read its replies") != nil)
            // The socket's own buffer holds some 200 KB more.
            let answered = await service.events.prefix { $0 == "at once" }.reduce(0) { count, _ in count + 1 }
            #expect(answered < 100)
        }
    }

    @Test("a connection that is refused has no answer")
    func refused() async throws {
        var limits = ServiceLimits()
        limits.connections = 0
        try await TestService.run(limits: limits) { service in
            let frames = try await blocking {
                let peer = try RawPeer(service.path)
                peer.send(Self.call(false, 1))
                return peer.receive()
            }
            #expect(frames == [#"{"error":"org.example.Test.Unhappy","parameters":{"text":"full"}}"#])
        }
    }
}
