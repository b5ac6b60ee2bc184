internal import CInvocation
internal import TimeSeries

/// `Invocation`: how a program was invoked.
public enum Invocation {
    /// The arguments after the program's name, as the kernel passed them.
    public static var arguments: [String] {
        (0..<invocation_count()).dropFirst().compactMap { invocation_argument($0).map { String(cString: $0) } }
    }

    /// The error message for an unknown first word, with similar ones; nil if it is one of `verbs`, or an option.
    ///
    /// - Parameters:
    ///   - program: the name of the program as the user types it.
    ///   - word: what the program calls its first words, such as "verb".
    ///   - usual: the suggestion if there are no arguments.
    public static func complaint(
        about arguments: [String], program: String, word: String, verbs: [String], usual: String
    ) -> String? {
        let advice = "`\(program) --help` lists the \(word)s"
        guard let first = arguments.first else { return "expected a \(word), such as `\(program) \(usual)`\n\(advice)" }
        guard let named = first == "help" ? arguments.dropFirst().first : first, !named.hasPrefix("-"),
            !(verbs + ["help"]).contains(named)
        else { return nil }
        let nearest = nearestNames(to: named, among: verbs + ["help"]).map { "\"\($0)\"" }.joined(separator: " or ")
        let hint = nearest.isEmpty ? "" : "; did you mean \(nearest)?"
        return "there is no \(word) \"\(named)\"\(hint)\n\(advice)"
    }
}
