import Foundation
import Listening
import TestSupport
import Testing
import Varlink

@Suite(.timeLimit(.minutes(10))) struct LimitTests {
    private static func call(_ method: String, _ parameters: String, more: Bool = false) -> String {
        #"{"method":"org.example.Test.\#(method)","parameters":\#(parameters)\#(more ? #","more":true"# : "")}"# + "\0"
    }

    @Test("a message of 16 MiB is answered, one byte more closes the connection with a reason")
    func longMessages() async throws {
        try await TestService.run { service in
            let frame = Array(Self.call("Echo", #"{"text":""}"#).utf8.dropLast())
            let head = Array(frame.dropLast(3))
            @Sendable func message(_ length: Int) -> [UInt8] {
                head + [UInt8](repeating: UInt8(ascii: "x"), count: length - frame.count) + frame.suffix(3)
            }
            let fits = try await blocking {
                let peer = try RawPeer(service.path)
                peer.send(message(16 << 20) + [0])
                return peer.receive(1).first?.utf8.count
            }
            #expect(fits == (16 << 20) - frame.count + #"{"parameters":{"text":""}}"#.utf8.count)
            let tooLong = try await blocking {
                let peer = try RawPeer(service.path)
                peer.send(message((16 << 20) + 1) + [0])
                return peer.receive()
            }
            #expect(tooLong.isEmpty)
            #expect(await service.logged("longer than 16 MiB") != nil)
        }
    }

    @Test("a message without an end is refused while it is still coming")
    func endlessMessage() async throws {
        try await TestService.run { service in
            let wasTaken = try await blocking {
                let peer = try RawPeer(service.path)
                let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
                return (0..<64).allSatisfy { _ in peer.send(piece) }
            }
            #expect(!wasTaken)
            #expect(await service.logged("longer than 16 MiB") != nil)
        }
    }

    @Test("a peer that never reads is dropped with a reason, its stream is cancelled, and its neighbour is answered")
    func peerThatNeverReads() async throws {
        var limits = ServiceLimits()
        limits.stall = .milliseconds(200)
        try await TestService.run(limits: limits) { service in
            let (deaf, neighbour) = try await blocking {
                (try RawPeerBox(service.path), try VarlinkClient(path: service.path).echo("still here"))
            }
            deaf.peer.send(Self.call("Forever", #"{"bytes":100000}"#, more: true))
            let line = try #require(await service.logged("does not read its replies"))
            #expect(line.contains("uid \(getuid()), pid \(getpid())"))
            #expect(await service.events.first { _ in true } == "cancelled")
            #expect(neighbour == "still here")
            #expect(try await blocking { try VarlinkClient(path: service.path).echo("after") } == "after")
        }
    }

    @Test("a connection lost in the middle of a stream cancels it")
    func lostConnection() async throws {
        try await TestService.run { service in
            try await blocking {
                let peer = try RawPeer(service.path)
                peer.send(Self.call("Forever", #"{"bytes":10}"#, more: true))
                _ = peer.receive(3)
            }
            #expect(await service.events.first { _ in true } == "cancelled")
        }
    }

    @Test("a peer that does not end a message is dropped with a reason")
    func slowPeer() async throws {
        var limits = ServiceLimits()
        limits.message = .milliseconds(50)
        try await TestService.run(limits: limits) { service in
            let frames = try await blocking {
                let peer = try RawPeer(service.path)
                peer.send(Self.call("Echo", #"{"text":"a"}"#))
                let first = peer.receive(1)
                peer.send("{")
                return first + peer.receive()
            }
            #expect(frames == [#"{"parameters":{"text":"a"}}"#])
            #expect(await service.logged("did not complete a message") != nil)
        }
    }

    @Test("a peer is not dropped for the end of a message that a busy service has yet to read")
    func patientPeer() async throws {
        var limits = ServiceLimits()
        limits.message = .milliseconds(50)
        try await TestService.run(limits: limits) { service in
            let isAnswered = try await blocking {
                let peer = try RawPeer(service.path)
                peer.send(Self.call("Forever", #"{"bytes":1}"#, more: true) + "{")
                let end = ContinuousClock.now + .milliseconds(400)
                while ContinuousClock.now < end { if peer.receive(1).isEmpty { return false } }
                return true
            }
            #expect(isAnswered)
        }
    }

    @Test("a peer that says nothing is dropped with a reason")
    func quietPeer() async throws {
        var limits = ServiceLimits()
        limits.idle = .milliseconds(50)
        try await TestService.run(limits: limits) { service in
            let frames = try await blocking { try RawPeer(service.path).receive() }
            #expect(frames.isEmpty)
            #expect(await service.logged("sent no call") != nil)
        }
    }

    @Test("a peer that waits for a stream is not quiet")
    func waitingPeer() async throws {
        var limits = ServiceLimits()
        limits.idle = .milliseconds(600)
        try await TestService.run(limits: limits) { service in
            let frames = try await blocking {
                let peer = try RawPeer(service.path)
                peer.send(Self.call("Forever", #"{"bytes":1}"#, more: true))
                return peer.receive(300_000).count
            }
            #expect(frames >= 300_000)
        }
    }

    @Test("unfinished messages have one budget: the largest is closed with a reason, the others are answered")
    func unfinishedBudget() async throws {
        var limits = ServiceLimits()
        limits.unfinished = MemoryBudget(limit: 1 << 20)
        try await TestService.run(limits: limits) { service in
            let (head, tail) = (#"{"method":"org.example.Test.Echo","parameters":{"text":""#, #""}}"# + "\0")
            let text = String(repeating: "x", count: 400_000)
            let boxes = try await blocking {
                let boxes = [try RawPeerBox(service.path), try RawPeerBox(service.path)]
                boxes[0].peer.send(head + text)
                boxes[1].peer.send(head + text + text)
                return boxes
            }
            let line = try #require(await service.logged("all unfinished messages together hold more than"))
            #expect(line.contains("uid \(getuid()), pid \(getpid())"))
            let (small, large) = try await blocking {
                boxes[0].peer.send(tail)
                return (boxes[0].peer.receive(1).count, boxes[1].peer.receive().count)
            }
            #expect(small == 1)
            #expect(large == 0)
        }
    }

    @Test("replies that nobody reads have one budget: of who leaves most, the largest is closed")
    func unreadBudget() async throws {
        var limits = ServiceLimits()
        limits.held = MemoryBudget(limit: 8 << 20, of: "unread replies")
        try await TestService.run(limits: limits) { service in
            let deaf = try await blocking {
                try (1...4).map { _ in
                    let box = try RawPeerBox(service.path)
                    box.peer.send(Self.call("Place", #"{"wait":true,"number":1,"bytes":3000000}"#))
                    return box
                }
            }
            #expect(await service.logged("all unread replies together hold more than") != nil)
            #expect(try await blocking { try VarlinkClient(path: service.path).echo("still here") } == "still here")
            withExtendedLifetime(deaf) {}
        }
    }

    @Test("a peer that leaves a long reply unread has no second one made for it")
    func unreadReply() async throws {
        try await TestService.run { service in
            let box = try await blocking {
                let box = try RawPeerBox(service.path)
                let call = Self.call("Place", #"{"wait":true,"number":1,"bytes":4000000}"#)
                box.peer.send(call + call + call)
                return box
            }
            var events = service.events.makeAsyncIterator()
            #expect(await events.next() == "in turn")
            // It reads nothing, and another's many calls are answered meanwhile.
            try await blocking {
                let client = try VarlinkClient(path: service.path)
                for number in 0..<50 { _ = try client.echo("\(number)") }
            }
            let frames = try await blocking { box.peer.receive(3).count }
            #expect(frames == 3)
        }
    }

    @Test("when all places are taken by peers that never call, a newcomer gets one of theirs")
    func silentCrowd() async throws {
        var limits = ServiceLimits()
        limits.connections = 3
        limits.reserved = 0
        limits.grace = .zero
        try await TestService.run(limits: limits) { service in
            let (waiting, silent) = try await blocking {
                let waiting = try RawPeerBox(service.path)
                waiting.peer.send(Self.call("Forever", #"{"bytes":1}"#, more: true))
                _ = waiting.peer.receive(1)
                return (waiting, [try RawPeerBox(service.path), try RawPeerBox(service.path)])
            }
            for number in 0..<5 {
                #expect(try await blocking { try VarlinkClient(path: service.path).echo("\(number)") } == "\(number)")
            }
            #expect(await service.logged("it had no call, and another connection replaced it") != nil)
            #expect(try await blocking { waiting.peer.receive(1_000).count } >= 1_000)
            for box in silent { #expect(try await blocking { box.peer.receive() }.isEmpty) }
        }
    }

    @Test("one connection too many gets the refusal as its first reply, and a place that is left is given again")
    func connectionLimit() async throws {
        var limits = ServiceLimits()
        limits.connections = 2
        // However slow the machine is: none of the two is silent for so long that a newcomer gets its place.
        limits.grace = .seconds(3_600)
        try await TestService.run(limits: limits) { service in
            let held = try await blocking {
                let held = [try RawPeerBox(service.path), try RawPeerBox(service.path)]
                for box in held {
                    box.peer.send(Self.call("Echo", #"{"text":"a"}"#))
                    _ = box.peer.receive(1)
                }
                return held
            }
            await #expect(throws: VarlinkError("org.example.Test.Unhappy", ["text": .string("full")])) {
                try await blocking { try VarlinkClient(path: service.path).echo("b") }
            }
            #expect(await service.logged("refusing connections: 2 are open") != nil)
            held[0].peer.hangUp()
            // The service learns of the hang-up in its own time: whoever is refused tries again.
            let answer = try await blocking {
                while true {
                    do {
                        return try VarlinkClient(path: service.path).echo("c")
                    } catch is VarlinkError {
                        continue
                    }
                }
            }
            #expect(answer == "c")
        }
    }
}

/// A ``RawPeer`` that is handed from thread to thread, never used by two at once.
struct RawPeerBox: @unchecked Sendable {
    let peer: RawPeer
    init(_ path: String) throws { peer = try RawPeer(path) }
}

extension VarlinkClient {
    func echo(_ text: String) throws -> String {
        try call("org.example.Test.Echo", TestService.Text(text: text), as: TestService.Text.self).text
    }
}
