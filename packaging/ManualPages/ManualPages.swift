/// `ManualPages`: writes manual pages from what the programs say of themselves. A tool of the build, not shipped.
import Foundation

/// `ManualPages NAME 1 < help.json` takes what `NAME --experimental-dump-help` prints; `ManualPages NAME 5` and
/// `ManualPages NAME markdown` take what `nilod reference` prints.
@main
struct ManualPages {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        let input = FileHandle.standardInput.readDataToEndOfFile()
        guard let name = arguments.first, arguments.count == 2 else {
            FileHandle.standardError.write(Data("usage: ManualPages NAME 1|5|markdown < INPUT\n".utf8))
            exit(64)
        }
        let decoder = JSONDecoder()
        let page =
            switch arguments.last {
            case "5": try Roff.configuration(name, decoder.decode(Reference.self, from: input))
            case "markdown": try Markdown.configuration(name, decoder.decode(Reference.self, from: input))
            default: try Roff.program(decoder.decode(Help.self, from: input).command)
            }
        FileHandle.standardOutput.write(Data(page.utf8))
    }
}

/// The parts of swift-argument-parser's description that a page needs.
struct Help: Decodable {
    struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var arguments: [Argument]?
        var subcommands: [Command]?
        var shouldDisplay: Bool?
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        var kind: String
        var names: [Name]?
        var valueName: String?
        var abstract: String?
        var defaultValue: String?
        var isOptional: Bool
        var isRepeating: Bool
        var shouldDisplay: Bool
    }

    var command: Command
}
