import Foundation
import TestSupport
import Testing
import Varlink

@Suite(.timeLimit(.minutes(10))) struct ServiceTests {
    private static let name = "org.example.Test"

    @Test("a service describes itself and every interface, its own too")
    func describesItself() async throws {
        struct Info: Decodable, Sendable, Equatable {
            let vendor, product, version, url: String
            let interfaces: [String]
        }
        try await TestService.run { service in
            let (info, own, test) = try await blocking {
                let client = try VarlinkClient(path: service.path)
                return (
                    try client.call("org.varlink.service.GetInfo", as: Info.self),
                    try client.interfaceText("org.varlink.service"), try client.interfaceText(Self.name)
                )
            }
            #expect(
                info
                    == Info(
                        vendor: "Example", product: "test", version: "1", url: "https://example.org",
                        interfaces: ["org.varlink.service", Self.name]))
            #expect(test == TestService.interface)
            let parsed = try InterfaceDescription(parsing: own)
            #expect(parsed.methods.map(\.name) == ["GetInfo", "GetInterfaceDescription"])
        }
    }

    @Test(
        "what nobody answers is answered with the error that says so",
        arguments: [
            (#"{"method":"org.example.Other.Echo"}"#, "InterfaceNotFound", "interface", "org.example.Other"),
            (#"{"method":"NoDot"}"#, "InterfaceNotFound", "interface", "NoDot"),
            (#"{"method":"org.example.Test.Other"}"#, "MethodNotFound", "method", "org.example.Test.Other"),
            (
                #"{"method":"org.example.Test.NotAnswered"}"#, "MethodNotImplemented", "method",
                "org.example.Test.NotAnswered"
            ),
            (
                #"{"method":"org.example.Test.Echo","parameters":{"text":"x"},"upgrade":true}"#,
                "MethodNotImplemented", "method", "org.example.Test.Echo"
            ),
            (
                #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"a.b"}}"#,
                "InterfaceNotFound", "interface", "a.b"
            ),
        ])
    func unansweredCalls(call: String, error: String, parameter: String, value: String) async throws {
        let reply = try await Self.reply(to: call)
        #expect(reply == ErrorReply(error: "org.varlink.service.\(error)", parameters: [parameter: .string(value)]))
    }

    static let right =
        #""b":true,"i":-3,"f":2,"s":"s","o":{"x":[1]},"e":"two","n":{"a":1},"list":[1,2],"map":{"x":0.5}"#

    @Test(
        "a parameter that is unknown, missing or of the wrong type is named",
        arguments: [
            ("{\(right)}", nil), (#"{"maybe":null,\#(right)}"#, nil), (#"{"maybe":"x",\#(right)}"#, nil),
            (#"{"maybe":1,\#(right)}"#, "maybe"), (#"{"other":1,\#(right)}"#, "other"), ("{}", "b"),
            ("{\(right.replacing(#""s":"s","#, with: ""))}", "s"),
            ("{\(right.replacing("true", with: "1"))}", "b"), ("{\(right.replacing("true", with: "null"))}", "b"),
            ("{\(right.replacing("-3", with: "-3.5"))}", "i"),
            ("{\(right.replacing("-3", with: "9223372036854775808"))}", "i"),
            ("{\(right.replacing("-3", with: "-9223372036854775808"))}", nil),
            ("{\(right.replacing(#""f":2"#, with: #""f":"2""#))}", "f"),
            ("{\(right.replacing(#"{"x":[1]}"#, with: "[]"))}", "o"),
            ("{\(right.replacing("two", with: "three"))}", "e"),
            ("{\(right.replacing(#"{"a":1}"#, with: #"{"b":"x"}"#))}", "n"),
            ("{\(right.replacing(#"{"a":1}"#, with: #"{"a":1,"c":1}"#))}", "n"),
            ("{\(right.replacing("[1,2]", with: #"[1,"2"]"#))}", "list"),
            ("{\(right.replacing("0.5", with: "null"))}", "map"), ("[]", "parameters"),
        ] as [(String, String?)])
    func parametersAreChecked(parameters: String, named: String?) async throws {
        let reply = try await Self.reply(to: #"{"method":"org.example.Test.Take","parameters":\#(parameters)}"#)
        if let named {
            #expect(
                reply
                    == ErrorReply(
                        error: "org.varlink.service.InvalidParameter", parameters: ["parameter": .string(named)]))
        } else {
            #expect(reply.error == nil)
        }
    }

    @Test("a stream is refused to a caller that takes one reply, and given to one that takes more")
    func more() async throws {
        #expect(
            try await Self.reply(to: #"{"method":"org.example.Test.Count","parameters":{"to":3}}"#).error
                == "org.varlink.service.ExpectedMore")
        let frames = try await Self.frames(
            3, to: #"{"method":"org.example.Test.Count","parameters":{"to":3},"more":true}"#)
        #expect(
            frames == [
                #"{"parameters":{"number":1},"continues":true}"#, #"{"parameters":{"number":2},"continues":true}"#,
                #"{"parameters":{"number":3}}"#,
            ])
    }

    @Test("a oneway call has no reply, not even an error")
    func oneway() async throws {
        let frames = try await Self.frames(
            1,
            to: #"{"method":"org.example.Test.Echo","parameters":{"text":"a"},"oneway":true}"#,
            #"{"method":"org.example.Test.Nothing","oneway":true}"#,
            #"{"method":"org.example.Test.Echo","parameters":{"text":"b"}}"#)
        #expect(frames == [#"{"parameters":{"text":"b"}}"#])
    }

    @Test("pipelined calls are answered in order")
    func pipelining() async throws {
        let calls = (0..<500).map { place in
            place % 3 == 0
                ? #"{"method":"org.example.Test.Count","parameters":{"to":1},"more":true}"#
                : #"{"method":"org.example.Test.Echo","parameters":{"text":"\#(place)"}}"#
        }
        let replies = (0..<500).map {
            $0 % 3 == 0 ? #"{"parameters":{"number":1}}"# : #"{"parameters":{"text":"\#($0)"}}"#
        }
        #expect(try await Self.frames(500, to: calls) == replies)
    }

    @Test(
        "a message that is no call closes the connection, with a line in the log",
        arguments: [
            "x", "{", "[]", "{}", #"{"method":1}"#, #"{"method":"a.B","more":1}"#, #"{"method":"a.B"}}"#,
            #"{"method":"a.B","parameters":{"a":01}}"#, #"{"method":"\q"}"#,
            #"{"method":"a.B","parameters":\#(String(repeating: "[", count: 200))"#,
        ])
    func malformed(message: String) async throws {
        try await TestService.run { service in
            let frames = try await blocking {
                let peer = try RawPeer(service.path)
                peer.send(message + "\0")
                return peer.receive()
            }
            #expect(frames.isEmpty)
            #expect(await service.logged("does not speak Varlink") != nil)
        }
    }

    struct ErrorReply: Decodable, Sendable, Equatable {
        var error: String?
        var parameters: [String: JSONValue]
    }

    private static func reply(to call: String) async throws -> ErrorReply {
        let frame = try #require(try await frames(1, to: call).first)
        return try JSONDecoder().decode(ErrorReply.self, from: Data(frame.utf8))
    }

    private static func frames(_ count: Int, to calls: String...) async throws -> [String] {
        try await frames(count, to: calls)
    }

    private static func frames(_ count: Int, to calls: [String]) async throws -> [String] {
        let (found, finding) = AsyncStream.makeStream(of: [String].self)
        try await TestService.run { service in
            finding.yield(
                try await blocking {
                    let peer = try RawPeer(service.path)
                    peer.send(calls.map { $0 + "\0" }.joined())
                    return peer.receive(count)
                })
        }
        return await found.first { _ in true } ?? []
    }
}
