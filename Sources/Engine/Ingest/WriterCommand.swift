import TimeSeries

/// An operation that the writer's thread runs between two group commits.
///
/// A command sees the database, the series and the configuration as the previous commit left them, and no other command
/// runs meanwhile.
protocol WriterCommand<Answer>: Sendable {
    associatedtype Answer: Sendable

    func run(on writer: Writer) throws -> Answer
}

/// A message to the writer.
enum WriterMessage: Sendable {
    case ingest(IngestRequest)
    /// A command, bound to its reply.
    case command(@Sendable (Writer) -> Void)
}

extension Writer {
    /// Runs `command` on the writer's thread and returns its answer.
    ///
    /// - Throws: what the command throws; ``EngineError/stopping``.
    func run<Command: WriterCommand>(_ command: Command) async throws -> Command.Answer {
        try await mailbox.call { reply in .command { writer in reply(Result { try command.run(on: writer) }) } }
    }
}

/// Does nothing; its reply shows that the writer's thread responds.
struct Heartbeat: WriterCommand {
    func run(on writer: Writer) {}
}
