import Foundation
import TestSupport
import Testing

@Suite("Help, manual and completions")
struct HelpTests {
    private struct Help: Decodable {
        struct Command: Decodable {
            var commandName: String
            var arguments: [Argument]?
            var subcommands: [Command]?
            var shouldDisplay: Bool?
        }
        struct Argument: Decodable {
            struct Name: Decodable {
                var kind: String
                var name: String
            }
            var names: [Name]?
        }
        var command: Command
    }

    private func dumped(_ program: String) throws -> String {
        let child = try ChildProcess(program, ["--experimental-dump-help"])
        #expect(child.wait() == 0)
        return child.standardOutput
    }

    private func page(_ name: String, section: String, from text: String) throws -> String {
        let folder = try TemporaryFolder()
        let made = try ChildProcess("ManualPages", [name, section], input: folder.write(text, to: "in"))
        #expect(made.wait() == 0, "\(made.standardError)")
        return made.standardOutput
    }

    @Test("the manual page of a program names every verb and every option", arguments: ["niloctl", "nilod"])
    func manual(_ program: String) throws {
        let help = try dumped(program)
        let page = try page(program, section: "1", from: help)
        let command = try JSONDecoder().decode(Help.self, from: Data(help.utf8)).command
        let verbs = (command.subcommands ?? []).filter { $0.shouldDisplay ?? true && $0.commandName != "help" }
        #expect(verbs.count >= 3)
        for verb in verbs {
            #expect(page.contains("\n.SS \(program) \(verb.commandName.replacing("-", with: "\\-"))"))
            for name in (verb.arguments ?? []).flatMap({ $0.names ?? [] }) {
                let spelled = (name.kind == "long" ? "\\-\\-" : "\\-") + name.name.replacing("-", with: "\\-")
                #expect(page.contains(spelled), "\(verb.commandName) \(name.name)")
            }
        }
    }

    private struct Reference: Decodable {
        struct Table: Decodable {
            var name: String
            var keys: [Key]
        }
        struct Key: Decodable {
            var name: String
            var text: String
            var example: String
        }
        var tables: [Table]
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func reference() throws -> (text: String, tables: [Reference.Table]) {
        let child = try ChildProcess("nilod", ["reference"])
        #expect(child.wait() == 0, "\(child.standardError)")
        let text = child.standardOutput
        return (text, try JSONDecoder().decode(Reference.self, from: Data(text.utf8)).tables)
    }

    @Test("the configuration's page and manual page are those of today's reference, which has every key that is read")
    func configuration() throws {
        let (text, tables) = try reference()
        let committed = try String(contentsOf: Self.root.appending(path: "docs/configuration.md"), encoding: .utf8)
        #expect(try page("nilod.toml", section: "markdown", from: text) == committed, "run `make docs`")
        let manual = try page("nilod.toml", section: "5", from: text)
        let own = tables.filter { !$0.name.hasPrefix("[forecaster.parameters.") }.flatMap(\.keys).map(\.name)
        for key in own { #expect(manual.contains("\n.B \(key)\n")) }
        let reader = try String(
            contentsOf: Self.root.appending(path: "Sources/nilod/Configuration/SettingsReader.swift"), encoding: .utf8)
        let asked = /(?:section\.(?!error|sections)\w+|required|string|socketPath|strings)\("(\w+)"/
        let read = Set(reader.matches(of: asked).map { String($0.1) })
        #expect(read.count > 20)
        #expect(read.subtracting(own).isEmpty && Set(own).subtracting(read).isEmpty, "\(read.symmetricDifference(own))")
    }

    @Test("the daemon takes every example of the reference")
    func examples() throws {
        let folder = try TemporaryFolder()
        var count = 0
        for table in try reference().tables {
            for key in table.keys {
                let line = "\(key.name) = \(key.example)\n"
                let text: String
                switch table.name {
                case "": text = line
                case "[[series]]": text = "[[series]]\n" + (key.name == "select" ? "" : "select = \"*\"\n") + line
                case "[[source]]": text = "[[source]]\n" + Self.source(with: key.name) + line
                case "[[sink]]": text = "[[sink]]\n" + Self.sink(with: key.name) + line
                case "[[forecaster]]":
                    text = "[[forecaster]]\n" + (key.name == "name" ? "" : "name = \"n\"\n") + line
                default: text = "[[forecaster]]\nname = \"n\"\n\(table.name)\n\"\(key.name)\" = \(key.example)\n"
                }
                let file = try folder.write(text, to: "n.toml")
                let child = try ChildProcess("nilod", ["check-config", file])
                #expect(child.wait() == 0, "\(text)\n\(child.standardError)")
                count += 1
            }
        }
        #expect(count > 60)
    }

    private static func source(with key: String) -> String {
        switch key {
        case "kind": ""
        case "every": "kind = \"host\"\n"
        case "path": "kind = \"unix\"\n"
        case "listen": "kind = \"tcp\"\n"
        case "precision": "kind = \"tcp\"\nlisten = \"8089\"\n"
        default: "kind = \"exec\"\n"
        }
    }

    private static func sink(with key: String) -> String {
        switch key {
        case "kind", "name", "series", "events":
            (key == "kind" ? "" : "kind = \"exec\"\n") + "command = [\"/bin/cat\"]\n"
        case "path": "kind = \"file\"\n"
        default: "kind = \"exec\"\n"
        }
    }

    @Test("a mistyped verb or option is told with the nearest ones and where to look")
    func mistyped() throws {
        let cases = [
            (["stat"], "there is no verb \"stat\"; did you mean \"state\" or \"status\"?\n`niloctl --help` lists"),
            (["help", "forcast"], "did you mean \"forecast\""), (["xyzzyplugh"], "there is no verb \"xyzzyplugh\"\n"),
            (["status", "--jsn"], "Did you mean '--json'?"), (["forecast"], "See 'niloctl forecast --help'"),
        ]
        for (arguments, text) in cases {
            let child = try ChildProcess("niloctl", arguments)
            #expect(child.wait() == 64)
            #expect(child.standardError.contains(text), "\(child.standardError)")
        }
    }

    @Test("the completion scripts are good shell", arguments: ["bash", "zsh", "fish"])
    func scripts(_ shell: String) throws {
        let made = try ChildProcess("niloctl", ["completions", shell])
        #expect(made.wait() == 0)
        #expect(made.standardOutput.contains("explain"))
        let folder = try TemporaryFolder()
        let script = try folder.write(made.standardOutput, to: "script")
        let found = ["/bin", "/usr/bin"].map { "\($0)/\(shell)" }
        guard let path = found.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            return skip("\(shell) is not installed")
        }
        let checked = try ChildProcess(path, [shell == "fish" ? "--no-execute" : "-n", script])
        #expect(checked.wait() == 0, "\(checked.standardError)")
        #expect(try ChildProcess("niloctl", ["completions", "tcsh"]).wait() == 64)
    }

    /// What bash completes `line` to.
    private func completed(_ line: String, _ words: [String], _ socket: String) throws -> [String] {
        let folder = try TemporaryFolder()
        let script = """
            niloctl() { '\(ChildProcess.path(of: "niloctl"))' "$@"; }
            source <(niloctl completions bash)
            COMP_LINE=$1; shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_POINT=${#COMP_LINE}
            current=${COMP_WORDS[COMP_CWORD]}
            _niloctl_whole_words niloctl "${current#[=:]}" ''
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let file = try folder.write(script, to: "script")
        let child = try ChildProcess(
            "/bin/bash", [file, line] + words,
            environment: ["NILOMETER_SOCKET": socket, "HOME": folder.url.path])
        #expect(child.wait() == 0)
        #expect(child.standardError == "")
        return child.standardOutput.split(separator: "\n").map(String.init)
    }

    @Test("bash completes names of series across the characters at which it breaks words")
    func bash() throws {
        let folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, smooth)
        let marker = folder.path("executed")
        let hostile = "room,id=$(touch\\ \(marker)) t=1 1750000000000000000\n"
        let file = try folder.write(lines("1", 0..<2) + lines("1:2", 0..<2) + hostile, to: "in.lp")
        #expect(try Niloctl(daemon.socket, "ingest", file).code == 0)
        let all = try completed("niloctl state ro", ["niloctl", "state", "ro"], daemon.socket)
        #expect(all.count == 3 && all.contains("room,id=1 t"))
        let broken = ["niloctl", "state", "room,id", "=", "1"]
        #expect(try completed("niloctl state room,id=1", broken, daemon.socket).sorted() == ["1 t", "1:2 t"])
        #expect(try completed("niloctl state room,id=", Array(broken.dropLast()), daemon.socket).count == 3)
        let colon = broken + [":"]
        #expect(try completed("niloctl state room,id=1:", colon, daemon.socket) == ["2 t"])
        #expect(try completed("niloctl models s", ["niloctl", "models", "s"], daemon.socket) == ["smooth"])
        #expect(!FileManager.default.fileExists(atPath: marker), "a name was executed")
        #expect(try completed("niloctl state ro", ["niloctl", "state", "ro"], folder.path("nobody")).isEmpty)
    }
}
