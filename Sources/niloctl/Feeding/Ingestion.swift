import ControlInterface
import Glibc
import LineProtocol
import TimeSeries
import Varlink

/// Sends an input piece by piece, each acknowledged before the next, and records its progress.
struct Ingestion {
    let input: IngestInput
    let precision: String
    let isCSV: Bool
    let common: CommonOptions
    private(set) var record: IngestRecord
    /// The first refused lines of this run.
    private(set) var problems: [Problem] = []
    /// Whether the record is on disk.
    private(set) var isRecordSaved = false
    private var pieces: InputPieces
    private var progress: ProgressBar
    private let acceptedBefore: Int

    /// How long a daemon that was running may be unreachable, as while it restarts.
    private static let timeout = Duration.seconds(60)

    init(_ input: IngestInput, precision: Precision, isCSV: Bool, record: IngestRecord, common: CommonOptions) {
        (self.input, self.precision, self.isCSV) = (input, precision.rawValue, isCSV)
        (self.common, self.record, acceptedBefore) = (common, record, record.accepted)
        let stamper = isCSV ? nil : LineStamper(precision: precision)
        pieces = InputPieces(input.descriptor, stamper: stamper, offset: record.offset, line: record.line)
        progress = ProgressBar(total: input.size, from: record.offset, isQuiet: common.json)
    }

    /// Sends the input until its end or an interruption.
    ///
    /// - Returns: whether the end was reached.
    mutating func run(_ client: VarlinkClient) throws -> Bool {
        defer { progress.clear() }
        var client = client
        while !Interruption.isPending {
            let time = record.sending?.time ?? IngestInput.now.nanoseconds
            guard let piece = pieces.next(time: Timestamp(nanoseconds: time), end: record.sending?.end) else { break }
            let reply: Control.Ingest.Reply
            if piece.isTooLong {
                reply = Self.refusal(of: piece)
            } else {
                record.sending = .init(end: piece.range.upperBound, time: time)
                saveRecord()
                reply = try send(piece, &client)
            }
            report(reply)
            record.add(reply)
            record.advance(
                to: pieces.offset, line: pieces.line, of: input.descriptor,
                last: reply.refused == 0 && input.isResumable ? lastReading(of: piece) : nil)
            progress.show(
                offset: record.offset, readings: record.accepted, sinceStart: record.accepted - acceptedBefore)
        }
        if Interruption.isPending { saveRecord() } else { record.remove() }
        return !Interruption.isPending
    }

    private static func refusal(of piece: InputPieces.Piece) -> Control.Ingest.Reply {
        let reason =
            "the line has \(piece.range.count) bytes, expected at most \(InputPieces.maximumLineLength); is it line protocol?"
        return Control.Ingest.Reply(
            accepted: 0, late: 0, skipped: 0, refused: 1,
            problems: [Problem(line: piece.firstLine, column: 1, reason: reason)], position: 0)
    }

    /// The reading of the last line; nil if the line is only part of a text field with a line break.
    private func lastReading(of piece: InputPieces.Piece) -> IncomingReading? {
        guard let line = piece.text.split(separator: "\n").last, let precision = Precision(rawValue: precision) else {
            return nil
        }
        let batch =
            isCSV
            ? DecodedBatch(csv: String(line), precision: precision, firstLine: 2)
            : DecodedBatch(lineProtocol: Array(line.utf8), precision: precision, firstLine: 2)
        return batch.readings.last
    }

    private mutating func saveRecord() { isRecordSaved = input.isResumable && record.save() }

    private mutating func send(_ piece: InputPieces.Piece, _ client: inout VarlinkClient) throws -> Control.Ingest.Reply
    {
        let question = Control.Ingest.Request(
            text: piece.text, format: isCSV ? "csv" : "line", precision: precision, firstLine: piece.firstLine)
        var start: ContinuousClock.Instant?
        while true {
            do {
                return try client.call(Control.qualified("Ingest"), question, as: Control.Ingest.Reply.self)
            } catch let error as ConnectionError {
                let now = ContinuousClock.now
                if start == nil {
                    progress.clear()
                    Output.complain("niloctl: the daemon is unreachable; what was not acknowledged is sent again\n")
                }
                let first = start ?? now
                start = first
                guard now - first < Self.timeout, !Interruption.isPending else { throw error }
                // Polls while the daemon restarts; nothing signals when it is back.
                usleep(200_000)
                if let again = try? VarlinkClient(path: common.path) { client = again }
            }
        }
    }

    private mutating func report(_ reply: Control.Ingest.Reply) {
        problems += reply.problems.prefix(max(0, 100 - problems.count))
        guard !common.json, !reply.problems.isEmpty else { return }
        progress.clear()
        for problem in reply.problems { Output.complain("\(problem.line):\(problem.column): \(problem.reason)\n") }
    }

    /// How to continue after an interruption.
    var advice: String {
        let done = "niloctl: \(record.accepted) readings are acknowledged, up to line \(record.line - 1)\n"
        guard isRecordSaved else { return done + "the rest begins at line \(record.line)\n" }
        return done + "resume with: niloctl ingest --resume \(Shell.quoted(input.name))\n"
    }
}
