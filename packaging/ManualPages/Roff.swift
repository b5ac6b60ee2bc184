import Foundation

/// Pages in the macros of man(7).
enum Roff {
    /// A page of section 1 with all verbs of a program.
    static func program(_ command: Help.Command) -> String {
        let verbs = (command.subcommands ?? []).filter { $0.shouldDisplay ?? true && $0.commandName != "help" }
        let common = shared(verbs)
        var page = head(command.commandName, section: 1, command.abstract ?? "")
        page += ".SH SYNOPSIS\n.B \(escaped(command.commandName))\n.I verb\n[options]\n"
        page += ".SH DESCRIPTION\n" + sentence(command.abstract) + text(command.discussion)
        if !common.isEmpty { page += ".SH OPTIONS OF EVERY VERB\n" + common.map(item).joined() }
        page += ".SH VERBS\n" + verbs.map { verb($0, of: command.commandName, without: common) }.joined()
        return page + seeAlso
    }

    /// A page of section 5 about a configuration file.
    static func configuration(_ name: String, _ reference: Reference) -> String {
        head(name, section: 5, "configuration of the Nilometer daemon")
            + ".SH DESCRIPTION\n" + text(Reference.introduction.plain)
            + reference.tables.map { table in
                let title = table.name.isEmpty ? "TOP OF THE FILE" : table.name.uppercased()
                return ".SH \(escaped(title))\n" + text(table.text.plain)
                    + table.keys.map { key in
                        let about = "\(key.text.asSentence.plain) \(key.typeAndDefault.plain) Example: \(key.line)"
                        return ".TP\n.B \(escaped(key.name))\n\(escaped(about))\n"
                    }.joined()
            }.joined() + seeAlso
    }

    private static let seeAlso = ".SH SEE ALSO\n.BR nilod (1),\n.BR niloctl (1),\n.BR nilod.toml (5)\n"

    private static func head(_ name: String, section: Int, _ abstract: String) -> String {
        let title = "\(name.uppercased()) \(section)"
        let short = abstract.last == "." ? String(abstract.dropLast()) : abstract
        return ".TH \(title) \"\" Nilometer\n.SH NAME\n\(escaped(name)) \\- \(escaped(short.lowercasedFirst))\n"
    }

    /// The options that every verb with options of a daemon has.
    private static func shared(_ verbs: [Help.Command]) -> [Help.Argument] {
        let lists = verbs.map { ($0.arguments ?? []).filter { $0.kind != "positional" && $0.shouldDisplay } }
        let most = lists.first { !$0.isEmpty } ?? []
        return most.filter { option in
            lists.count { list in list.contains { $0.title == option.title } } * 4 > lists.count * 3
        }
    }

    private static func verb(_ verb: Help.Command, of program: String, without common: [Help.Argument]) -> String {
        let shown = (verb.arguments ?? []).filter { argument in
            argument.shouldDisplay && !common.contains { $0.title == argument.title }
        }
        let usage = shown.map { $0.isOptional ? "[\($0.title)]" : $0.title }.joined(separator: " ")
        let title = "\(program) \(verb.commandName)" + (usage.isEmpty ? "" : " \(usage)")
        return ".SS \(escaped(title))\n" + sentence(verb.abstract)
            + text(verb.discussion) + shown.map(item).joined()
    }

    private static func item(_ argument: Help.Argument) -> String {
        let normal = argument.defaultValue.map { " (\($0) if it is left out)" } ?? ""
        return ".TP\n.B \(escaped(argument.title))\n\(escaped((argument.abstract ?? "") + normal))\n"
    }

    private static func sentence(_ abstract: String?) -> String { escaped(abstract ?? "") + "\n" }

    /// Paragraphs; indented lines stay as they are.
    private static func text(_ discussion: String?) -> String {
        guard let discussion, !discussion.isEmpty else { return "" }
        var page = ""
        var startsParagraph = true
        var example: [String] = []
        for line in discussion.components(separatedBy: "\n") + [""] {
            if line.hasPrefix("  ") {
                example.append(line)
                continue
            }
            if !example.isEmpty { page += literal(example.joined(separator: "\n")) }
            example = []
            if !line.isEmpty { page += (startsParagraph ? ".PP\n" : "") + escaped(line) + "\n" }
            startsParagraph = line.isEmpty
        }
        return page
    }

    private static func literal(_ text: String) -> String {
        ".nf\n"
            + text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) + "\n" }
            .joined() + ".fi\n"
    }

    /// A line that means itself: no escapes, no requests.
    private static func escaped(_ line: String) -> String {
        let text = line.replacingOccurrences(of: "\\", with: "\\e").replacingOccurrences(of: "-", with: "\\-")
        return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
    }
}

extension Help.Argument {
    /// `--socket <socket>`, `-h, --help`, `<file>`.
    fileprivate var title: String {
        guard let names, kind != "positional" else { return "<\(valueName ?? "")>\(isRepeating ? "..." : "")" }
        let spelled = names.map { ($0.kind == "long" ? "--" : "-") + $0.name }.joined(separator: ", ")
        return kind == "option" ? "\(spelled) <\(valueName ?? "value")>" : spelled
    }
}

extension String {
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
