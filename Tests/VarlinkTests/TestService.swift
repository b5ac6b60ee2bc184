import Foundation
import Synchronization
import Varlink

/// A service of ours in this process, with its log, and its socket in a folder of its own.
struct TestService: Sendable {
    let path: String
    /// The lines of its log, as they come.
    let log: AsyncStream<String>
    /// What its answers tell: `cancelled` when a stream of `Forever` was cancelled.
    let events: AsyncStream<String>

    static let interface = """
        # For tests.
        interface org.example.Test

        type Named (a: int, b: ?string)

        method Echo(text: string) -> (text: string)
        method Take(
          b: bool, i: int, f: float, s: string, o: object, e: (one, two), n: Named,
          list: []int, map: [string]float, maybe: ?string
        ) -> (text: string)
        method Count(to: int) -> (number: int)
        method Forever(bytes: int) -> (text: string)
        method Place(wait: bool, number: int, bytes: ?int) -> (how: string, number: int, text: string)
        method NotAnswered() -> ()
        error Unhappy (text: string)
        """

    struct Text: Codable, Sendable, Equatable { var text: String }
    struct Number: Codable, Sendable { var number: Int }
    struct Question: Codable, Sendable {
        var to: Int?
        var bytes: Int?
    }

    struct PlaceQuestion: Codable, Sendable {
        var wait: Bool
        var number: Int
        var bytes: Int?
    }
    struct PlaceReply: Codable, Sendable {
        var how: String
        var number: Int
        var text: String

        init(_ question: PlaceQuestion, how: String) {
            (self.how, number) = (how, question.number)
            text = String(repeating: "x", count: question.bytes ?? 0)
        }
    }

    /// Runs `body` beside the service.
    static func run(
        limits: ServiceLimits = ServiceLimits(), _ body: @escaping @Sendable (TestService) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "varlink-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (log, logging) = AsyncStream.makeStream(of: String.self)
        let (events, telling) = AsyncStream.makeStream(of: String.self)
        let (ready, becoming) = AsyncStream.makeStream(of: Void.self)
        let service = try VarlinkService(
            info: .init(vendor: "Example", product: "test", version: "1", url: "https://example.org"),
            interfaces: [
                try VarlinkInterface(
                    interface, methods: answers { telling.yield($0) }, quick: ["Place": place { telling.yield($0) }])
            ], limits: limits,
            refusal: VarlinkError("org.example.Test.Unhappy", ["text": .string("full")])
        ) { logging.yield($0) }
        let path = folder.appending(path: "socket").path
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run(.path(path)) { becoming.finish() } }
            for await _ in ready {}
            try await body(TestService(path: path, log: log, events: events))
            group.cancelAll()
        }
    }

    private static func answers(
        _ tell: @escaping @Sendable (String) -> Void
    ) -> [String: VarlinkInterface.Answer] {
        [
            "Echo": { try await $0.reply($0.decode(Text.self)) },
            "Take": { try await $0.reply(Text(text: "taken")) },
            "Count": { call in
                guard call.wantsMore else { throw VarlinkError.expectedMore }
                let end = try call.decode(Question.self).to ?? 0
                for number in 1...max(1, end) {
                    try await call.reply(Number(number: number), continues: number < end)
                }
            },
            "Place": { call in
                let question = try call.decode(PlaceQuestion.self)
                tell("in turn")
                // Whoever comes later has every chance to come first.
                for _ in 0..<(question.wait ? 20 : 0) { await Task.yield() }
                try await call.reply(PlaceReply(question, how: "in turn"))
            },
            "Forever": { call in
                let text = Text(text: String(repeating: "x", count: try call.decode(Question.self).bytes ?? 1))
                do {
                    while true {
                        try await call.reply(text, continues: true)
                        try Task.checkCancellation()
                        await Task.yield()
                    }
                } catch {
                    tell("cancelled")
                    throw error
                }
            },
        ]
    }

    /// At once, unless the question is to wait.
    private static func place(_ tell: @escaping @Sendable (String) -> Void) -> QuickAnswer {
        { call in
            guard let question = try? call.decode(PlaceQuestion.self), !question.wait else { return nil }
            tell("at once")
            return try? EncodedReply(PlaceReply(question, how: "at once"))
        }
    }

    /// Waits for a line of the log that contains `text`.
    func logged(_ text: String) async -> String? { await log.first { $0.contains(text) } }
}

/// Runs `body`, which blocks, on a thread that Swift's concurrency does not need.
func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
