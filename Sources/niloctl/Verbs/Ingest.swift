import ArgumentParser
import ControlInterface
import Glibc
import LineProtocol
import TimeSeries
import Varlink

struct Ingest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send readings and wait until they are on disk.",
        discussion: """
            Line protocol, or with --csv lines of series,timestamp,value; - reads standard input. Lines without a \
            timestamp get one before they are sent, so that what is sent again after an interruption counts once.

            Examples:
              niloctl ingest readings.lp
              niloctl ingest --resume readings.lp
              mosquitto_sub -t sensors | niloctl ingest -
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "The file, or - for standard input.", completion: .file()) var file: String
    @Flag(help: "The file is CSV: series,timestamp,value.") var csv = false
    @Option(help: "The unit of timestamps: ns, us, ms or s.", completion: .list(["ns", "us", "ms", "s"]))
    var precision = "ns"
    @Flag(help: "Resume an interrupted ingest of this file.") var resume = false
    @Flag(help: "Print each point as JSON and send nothing; no daemon is needed.") var dryRun = false
    @Option(parsing: .unconditional, help: "With --dry-run: the time of points without one, in ns since 1970.") var now:
        Int64?

    func run() throws {
        guard let precision = Precision(rawValue: precision) else {
            throw Exit.say("expected ns, us, ms or s after --precision, not \"\(precision)\"", 64)
        }
        if dryRun { return try runDry(precision) }
        guard let input = IngestInput(file) else { throw unreadable }
        var ingestion = Ingestion(
            input, precision: precision, isCSV: csv, record: try record(of: input), common: common)
        Interruption.arm()
        var reachedEnd = true
        do {
            try common.connected { client in
                if resume { try check(ingestion.record, with: client) }
                reachedEnd = try ingestion.run(client)
            }
        } catch {
            if ingestion.record.offset > 0 || ingestion.isRecordSaved { Output.complain(ingestion.advice) }
            throw Interruption.isPending ? ExitCode(130) : error
        }
        guard reachedEnd else {
            Output.complain(ingestion.advice)
            throw ExitCode(130)
        }
        try report(ingestion.record, ingestion.problems)
    }

    private func report(_ record: IngestRecord, _ problems: [Problem]) throws {
        let total = Control.Ingest.Reply(
            accepted: record.accepted, late: record.late, skipped: record.skipped, refused: record.refused,
            problems: problems, position: record.position)
        try common.show(total) {
            "accepted \($0.accepted) (\($0.late) late), refused \($0.refused), skipped \($0.skipped) text fields\n"
        }
        if total.refused > 0 { throw ExitCode(65) }
    }

    /// The record to start from: a new one, or that of an interrupted ingest.
    private func record(of input: IngestInput) throws -> IngestRecord {
        let options = csv ? "csv \(precision)" : "line \(precision)"
        let fresh = IngestRecord(file: input.canonicalPath ?? "", options: options)
        guard resume else { return fresh }
        guard let path = input.canonicalPath else { throw Exit.say("only the ingest of a file can be resumed", 64) }
        guard let record = IngestRecord.load(of: path) else {
            throw Exit.say("no interrupted ingest of \(file) is known; omit --resume to start from the beginning", 66)
        }
        guard record.options == options else {
            throw Exit.say("the interrupted ingest of \(file) read it as \(record.options); use the same options", 64)
        }
        guard record.offset <= input.size ?? 0, lseek(input.descriptor, off_t(record.offset), SEEK_SET) >= 0,
            record.matches(input.descriptor)
        else { throw Exit.say("\(file) has changed since; omit --resume to start over", 65) }
        return record
    }

    /// Checks that the daemon is the one that ingested the beginning, with the same database.
    private func check(_ record: IngestRecord, with client: VarlinkClient) throws {
        guard let witness = record.witness else { return }
        let question = Control.Export.Request(
            selector: witness.series, start: "\(witness.time)", end: "\(witness.time)", format: "line")
        var isThere = false
        try client.stream(Control.qualified("Export"), question, as: Control.Export.Reply.self) { piece in
            isThere = isThere || !piece.data.isEmpty
            return true
        }
        guard !isThere else { return }
        let time = Timestamp(nanoseconds: witness.time).text
        throw Exit.say(
            "the daemon does not have what was sent of \(file) before, such as \"\(witness.series)\" at \(time): it is another "
                + "one, or its database was replaced; omit --resume to start over", 65)
    }

    private var unreadable: ExitCode { Exit.say("cannot read \(file): \(String(cString: strerror(errno)))", 66) }

    private func runDry(_ precision: Precision) throws {
        guard !csv else { throw Exit.say("--dry-run reads line protocol, not CSV", 64) }
        guard let input = file == "-" ? fdopen(0, "r") : fopen(file, "re") else { throw unreadable }
        let time = now.map { Timestamp(nanoseconds: $0) } ?? IngestInput.now
        let refused = DryRun(precision: precision, now: time).run(input)
        if refused > 0 { throw ExitCode(65) }
    }
}
