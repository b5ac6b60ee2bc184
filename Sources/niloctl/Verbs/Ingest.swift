import ArgumentParser
import ControlInterface
import Glibc
import LineProtocol
import TimeSeries

struct Ingest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send readings and wait until they are on disk.",
        discussion: "Line protocol, or with --csv lines of series,timestamp,value. - reads standard input.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The file, or - for standard input.") var file: String
    @Flag(help: "The file is CSV: series,timestamp,value.") var csv = false
    @Option(help: "The unit of timestamps: ns, us, ms or s.") var precision = "ns"
    @Flag(help: "Print each point as JSON and send nothing; no daemon is needed.") var dryRun = false
    @Option(parsing: .unconditional, help: "With --dry-run: the time of points without one, in ns since 1970.") var now:
        Int64?

    func run() throws {
        guard let input = file == "-" ? fdopen(0, "r") : fopen(file, "re") else {
            throw Exit.say("cannot read \(file): \(String(cString: strerror(errno)))", 66)
        }
        if dryRun { return try runDry(input) }
        var total = Reply.Ingest(accepted: 0, late: 0, skipped: 0, refused: 0, problems: [], position: 0)
        try common.connected { client in
            var pieces = LinePieces(input)
            while let piece = pieces.next() {
                let question = Question.Ingest(
                    text: piece.text, format: csv ? "csv" : "line", precision: precision, firstLine: piece.firstLine)
                let reply = try client.call(Control.qualified("Ingest"), question, as: Reply.Ingest.self)
                if !common.json {
                    for problem in reply.problems {
                        Output.complain("\(problem.line):\(problem.column): \(problem.reason)\n")
                    }
                }
                total = total.adding(reply)
            }
            try common.show(total) {
                "accepted \($0.accepted) (\($0.late) late), refused \($0.refused), skipped \($0.skipped) text fields\n"
            }
        }
        if total.refused > 0 { throw ExitCode(65) }
    }

    private func runDry(_ input: UnsafeMutablePointer<FILE>) throws {
        guard let precision = Precision(rawValue: precision) else {
            throw Exit.say("expected ns, us, ms or s after --precision, not \"\(precision)\"", 64)
        }
        guard !csv else { throw Exit.say("--dry-run reads line protocol, not CSV", 64) }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let clock = Timestamp.from(seconds: Int64(time.tv_sec)).advanced(byNanoseconds: Int64(time.tv_nsec))
        let refused = DryRun(precision: precision, now: now.map { Timestamp(nanoseconds: $0) } ?? clock).run(input)
        if refused > 0 { throw ExitCode(65) }
    }
}

extension Reply.Ingest {
    fileprivate func adding(_ other: Reply.Ingest) -> Reply.Ingest {
        Reply.Ingest(
            accepted: accepted + other.accepted, late: late + other.late, skipped: skipped + other.skipped,
            refused: refused + other.refused, problems: Array((problems + other.problems).prefix(100)),
            position: max(position, other.position))
    }
}

/// A file in pieces of whole lines, small enough for one call each.
private struct LinePieces {
    private let file: UnsafeMutablePointer<FILE>
    private var line = 1
    private static let size = 524_288

    init(_ file: UnsafeMutablePointer<FILE>) { self.file = file }

    mutating func next() -> (text: String, firstLine: Int)? {
        var bytes: [UInt8] = []
        var (buffer, capacity): (UnsafeMutablePointer<CChar>?, Int) = (nil, 0)
        defer { free(buffer) }
        let first = line
        while bytes.count < Self.size {
            let count = getline(&buffer, &capacity, file)
            guard count > 0, let buffer else { break }
            bytes += UnsafeRawBufferPointer(start: buffer, count: count)
            line += 1
        }
        return bytes.isEmpty ? nil : (String(decoding: bytes, as: UTF8.self), first)
    }
}
