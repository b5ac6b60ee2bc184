import ArgumentParser
import ControlInterface
import Glibc

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print readings as CSV, line protocol or JSON lines.",
        discussion: """
            Characters of a series' name that act on a terminal are printed as \\u001b, as everywhere; names that have them \
            are not taken in any more.
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "The series or a pattern.", completion: .custom(Names.series)) var selector: String
    @Option(help: "From this time on: \(TimeOption.help)") var start: TimeOption?
    @Option(help: "Up to this time.") var end: TimeOption?
    @Option(help: "csv, line or json; csv if left out, json with --json.") var format: Format?

    enum Format: String, ExpressibleByArgument, CaseIterable { case csv, line, json }

    func run() throws {
        try common.connected { client in
            let question = Question.Export(
                selector: selector, start: start?.text, end: end?.text,
                format: (format ?? (common.json ? .json : .csv)).rawValue)
            try client.stream(Control.qualified("Export"), question, as: Reply.Export.self) { reply in
                Output.print(reply.data)
                return true
            }
        }
    }
}

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Copy the database to a file while the daemon runs.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The file to write.", completion: .file()) var file: String
    @Flag(help: "Replace the file if it is there.") var force = false

    func run() throws {
        guard force || access(file, F_OK) != 0 else { throw Exit.say("\(file) exists; use --force to replace it", 73) }
        let partial = file + ".part"
        guard let out = fopen(partial, "we") else {
            throw Exit.say("cannot write \(partial): \(String(cString: strerror(errno)))", 73)
        }
        var isWritten = true
        var size = 0
        do {
            try common.connected { client in
                try client.stream(Control.qualified("Backup"), as: Reply.Backup.self) { reply in
                    let bytes = [UInt8](Data(base64Encoded: reply.data) ?? Data())
                    isWritten = isWritten && fwrite(bytes, 1, bytes.count, out) == bytes.count
                    size += bytes.count
                    return isWritten
                }
            }
        } catch {
            fclose(out)
            unlink(partial)
            throw error
        }
        // The name appears only when the whole file is on disk.
        isWritten = isWritten && fflush(out) == 0 && fsync(fileno(out)) == 0
        fclose(out)
        guard isWritten, rename(partial, file) == 0 else {
            unlink(partial)
            throw Exit.say("cannot write \(file): \(String(cString: strerror(errno)))", 74)
        }
        try common.show(["bytes": size]) { "\(file): \($0["bytes"] ?? 0) bytes\n" }
    }
}
