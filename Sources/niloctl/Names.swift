import ArgumentParser
import ControlInterface
import Glibc
import TimeSeries
import Varlink

/// Completes names in a shell by asking the daemon; gives up quickly and silently if it does not answer.
enum Names {
    /// More candidates than this are of no use.
    private static let limit = 500

    @Sendable
    static func series(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
        let word = CompletedWord(prefix)
        let question = Control.ListSeries.Request(selector: word.whole + "*")
        let found = ask(words, "ListSeries", question, Control.ListSeries.Reply.self)?.series.prefix(limit) ?? []
        return word.candidates(found.map(\.name))
    }

    @Sendable
    static func forecasters(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
        let found =
            ask(words, "ListForecasters", [String: String](), Control.ListForecasters.Reply.self)?.forecasters ?? []
        return CompletedWord(prefix).candidates(found.map(\.name))
    }

    private static func ask<Answer: Decodable>(
        _ words: [String], _ method: String, _ question: some Encodable, _: Answer.Type
    ) -> Answer? {
        // The user is waiting for the completion: without an answer within a second there are no candidates.
        signal(SIGALRM) { _ in _exit(0) }
        alarm(1)
        let named = words.firstIndex(of: "--socket").flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
        let inline = words.first { $0.hasPrefix("--socket=") }.map { String($0.dropFirst("--socket=".count)) }
        let client = try? VarlinkClient(path: named ?? inline ?? CommonOptions.defaultSocket)
        return try? client?.call(Control.qualified(method), question, as: Answer.self)
    }
}

/// The word under the cursor, unquoted, and candidates in the form that the shell expects.
struct CompletedWord {
    /// What has been typed of the name so far, without quotes.
    let whole: String

    init(_ prefix: String) { whole = Self.unquoted(prefix) }

    /// The names that begin with what was typed.
    func candidates(_ names: [String]) -> [String] {
        // Names come from anyone who may send readings; a control character could do anything to a terminal.
        let plain = names.filter { !$0.unicodeScalars.contains(where: \.isUnprintable) }
        return plain.filter { $0.hasPrefix(whole) }.map { name in
            switch CompletionShell.requesting {
            case .bash: Self.escaped(name)
            // zsh treats what follows a colon as a description.
            case .zsh: name.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
            default: name
            }
        }
    }

    /// bash's `compgen -W` expands its words, including `$(…)`, so every special character is escaped.
    private static func escaped(_ name: String) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-,.=:/%@+")
        return name.reduce(into: "") { text, character in
            text += plain.contains(character) ? String(character) : "\\\(character)"
        }
    }

    private static func unquoted(_ text: String) -> String {
        var (result, rest) = ("", text[...])
        if let first = rest.first, first == "'" || first == "\"" { rest.removeFirst() }
        while let character = rest.popFirst() {
            result.append(character == "\\" ? rest.popFirst() ?? character : character)
        }
        return result
    }
}
