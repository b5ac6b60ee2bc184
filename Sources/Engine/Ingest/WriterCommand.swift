import TimeSeries

/// What the writer's thread does between two group commits, and answers.
///
/// A command sees the database, the series and the configuration as the commit before it left them, and no other command
/// runs meanwhile.
protocol WriterCommand<Answer>: Sendable {
    associatedtype Answer: Sendable

    func run(on writer: Writer) throws -> Answer
}

/// What the writer is sent.
enum WriterMessage: Sendable {
    case ingest(IngestRequest)
    /// A command, with whoever waits for its answer.
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

/// Answers when the writer's thread does.
struct Heartbeat: WriterCommand {
    func run(on writer: Writer) {}
}
