import Glibc
import Synchronization
import Varlink

/// Lines on standard error, unbuffered.
enum Log {
    static func write(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = Glibc.write(2, line, line.count)
    }
}

/// Answers org.varlink.certification: each client takes the steps in order, with the values the step before gave it.
final class CertifyingService: Sendable {
    /// The next step of each client.
    private let next = Mutex<[String: String]>([:])
    private static let order =
        ["Test01", "Test02", "Test03", "Test04", "Test05", "Test06", "Test07", "Test08", "Test09", "Test10", "Test11"]
        + ["End"]

    func run(_ path: String) async throws {
        let interface = try VarlinkInterface(certificationText, methods: answers)
        let service = try VarlinkService(
            info: .init(vendor: "Nilometer", product: "certification", version: "1", url: "https://nilometer.org"),
            interfaces: [interface]
        ) { Log.write($0) }
        try await service.run(.path(path)) { Log.write("ready") }
    }

    private var answers: [String: VarlinkInterface.Answer] {
        [
            "Start": start,
            "Test01": step("Test01", Nothing(), OneBool()), "Test02": step("Test02", OneBool(), OneInt()),
            "Test03": step("Test03", OneInt(), OneFloat()), "Test04": step("Test04", OneFloat(), OneString()),
            "Test05": step("Test05", OneString(), Four()), "Test06": step("Test06", Four(), OneStruct()),
            "Test07": step("Test07", OneStruct(), OneMap()), "Test08": step("Test08", OneMap(), OneSet()),
            "Test09": step("Test09", OneSet(), OneMyType()), "Test10": manyReplies,
            "Test11": step("Test11", AllReplies(), Nothing()), "End": step("End", Nothing(), AllOK()),
        ]
    }

    @Sendable private func start(_ call: VarlinkCall) async throws {
        let id = "\(UInt64.random(in: 0 ... .max))"
        next.withLock { $0[id] = Self.order.first }
        try await call.reply(ClientID(client_id: id))
    }

    private func step<Question: Codable & Hashable & Sendable>(
        _ name: String, _ wanted: Question, _ reply: some Encodable & Sendable
    ) -> VarlinkInterface.Answer {
        { call in
            try self.advance(name, wanted, call)
            guard (name == "Test11") == call.isOneway else { throw Self.failure(wanted, wanted) }
            try await call.reply(reply)
        }
    }

    @Sendable private func manyReplies(_ call: VarlinkCall) async throws {
        try advance("Test10", OneMyType(), call)
        guard call.wantsMore else { throw VarlinkError.expectedMore }
        let replies = AllReplies().last_more_replies
        for (place, text) in replies.enumerated() {
            try await call.reply(OneString(string: text), continues: place + 1 < replies.count)
        }
    }

    private func advance<Question: Codable & Hashable>(
        _ name: String, _ wanted: Question, _ call: VarlinkCall
    ) throws {
        let id = try call.decode(ClientID.self).client_id
        guard next.withLock({ $0[id] }) == name else { throw VarlinkError("\(certification).ClientIdError") }
        let got = try call.decode(Question.self)
        guard got == wanted else { throw Self.failure(wanted, got) }
        let following = Self.order.drop { $0 != name }.dropFirst().first
        next.withLock { $0[id] = following }
    }

    private static func failure(_ wanted: some Hashable, _ got: some Hashable) -> VarlinkError {
        VarlinkError(
            "\(certification).CertificationError",
            [
                "wants": .object(["text": .string("\(wanted)")]),
                "got": .object(["text": .string("\(got)")]),
            ])
    }
}
