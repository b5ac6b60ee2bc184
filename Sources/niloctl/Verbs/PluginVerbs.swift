import ArgumentParser
import Glibc

struct PluginVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Help for plugin authors.", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Test a plugin and report what it does wrong.",
            discussion: "Needs no daemon, only nilod beside niloctl or in PATH. Exits with 65 if something fails.")
        @Argument(help: "The folder with plugin.toml.") var folder: String

        func run() throws {
            // The plugin must run as it would under the daemon, so nilod runs it.
            for program in [Self.neighbour, "nilod"].compactMap({ $0 }) {
                let words: [String] = [program, "check-plugin", folder]
                var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
                execvp(program, &arguments)
            }
            throw Exit.say("nilod is neither beside niloctl nor in PATH", 69)
        }

        private static var neighbour: String? {
            guard let path = realpath("/proc/self/exe", nil) else { return nil }
            defer { free(path) }
            let own = String(cString: path)
            return own.lastIndex(of: "/").map { own[...$0] + "nilod" }
        }
    }
}
