import Foundation
import TestSupport
import Testing

@Suite("niloctl on a terminal")
struct TerminalTests {
    private let folder: TemporaryFolder
    private let daemon: Daemon

    init() throws {
        folder = try TemporaryFolder()
        daemon = try Daemon(in: folder, smooth)
        let file = try folder.write(lines("1", 0..<50) + lines("2", 0..<50), to: "readings.lp")
        #expect(try Niloctl(daemon.socket, "ingest", file).code == 0)
    }

    /// Runs niloctl on a terminal of `columns`; nil, with the reason printed, where there is no script(1).
    private func run(
        columns: Int, _ arguments: String, environment: [String: String] = [:]
    ) throws -> ChildProcess? {
        guard let script = try Tool.path("script", package: "bsdutils") else { return nil }
        let niloctl = ChildProcess.path(of: "niloctl")
        let command = "stty cols \(columns) rows 20; exec \(niloctl) \(arguments) --socket \(daemon.socket)"
        return try ChildProcess(
            script, ["-qec", command, "/dev/null"],
            environment: ["TERM": "xterm", "NO_COLOR": ""].merging(environment) { $1 })
    }

    private func picture(_ columns: Int, _ more: String = "", environment: [String: String] = [:]) throws -> String? {
        let child = try run(columns: columns, "forecast 'room,id=1 t' --plot \(more)", environment: environment)
        return child.map { child in
            child.wait()
            return String(String.UnicodeScalarView(child.standardOutput.unicodeScalars.filter { $0 != "\r" }))
        }
    }

    private static let braille: ClosedRange<Unicode.Scalar> = "\u{2801}"..."\u{28FF}"

    private func width(_ text: String) -> Int { text.split(separator: "\n").map(\.count).max() ?? 0 }

    @Test("a picture has history, median and interval in braille and fits the terminal", arguments: [50, 100, 300])
    func plot(columns: Int) throws {
        guard let text = try picture(columns, "--no-color") else { return }
        #expect(width(text) <= columns)
        #expect(width(text) >= min(columns, 200) - 8)
        let rows = text.split(separator: "\n").filter { $0.contains("│") }
        func hasDots(_ part: (Substring) -> Substring) -> Bool {
            rows.contains { row in part(row.drop { $0 != "│" }).unicodeScalars.contains { Self.braille.contains($0) } }
        }
        #expect(hasDots { $0.prefix(columns / 3) }, "no history")
        #expect(hasDots { $0.suffix(4) }, "no forecast")
        #expect(text.contains("now") && text.contains("+1 min") || text.contains("+60 s"))
    }

    @Test("colours are for terminals, unless --no-color, NO_COLOR or a dumb terminal says otherwise")
    func colours() throws {
        guard let coloured = try picture(80) else { return }
        #expect(coloured.contains("\u{1B}[0;1;36m") && coloured.contains("\u{1B}[0;34m"))
        let plain = [
            try picture(80, "--no-color"), try picture(80, environment: ["NO_COLOR": "1"]),
            try picture(80, environment: ["TERM": "dumb"]),
        ]
        for text in plain { #expect(text?.contains("\u{1B}") == false) }
        let piped = try Niloctl(daemon.socket, "forecast", "room,id=1 t", "--plot")
        #expect(!piped.output.contains("\u{1B}") && piped.output.contains("│"))
    }

    @Test("watch draws one series over itself and lists several line by line")
    func watch() throws {
        guard let drawn = try run(columns: 60, "watch 'room,id=1*' --count 3") else { return }
        let listed = try #require(try run(columns: 60, "watch 'room,*' --count 3"))
        var slot = 50
        while !drawn.hasEnded || !listed.hasEnded {
            let file = try folder.write(lines("1", slot..<slot + 1) + lines("2", slot..<slot + 1), to: "more.lp")
            #expect(try Niloctl(daemon.socket, "ingest", file).code == 0)
            slot += 1
        }
        let text = drawn.standardOutput
        #expect(text.components(separatedBy: "\u{1B}[H").count == 4)
        #expect(text.components(separatedBy: "\u{1B}[2J").count == 2)
        #expect(!listed.standardOutput.contains("\u{1B}"))
        #expect(listed.standardOutput.contains("→"))
    }
}
