import ArgumentParser
import ControlInterface

struct Plugins: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the plugins and their state.",
        discussion: "Absent counts the steps that had no answer. `niloctl plugin check PATH` tests one.")
    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.connected { client in
            let reply = try client.call(Control.qualified("ListPlugins"), as: Control.ListPlugins.Reply.self)
            try common.show(reply) { reply in
                guard !reply.plugins.isEmpty else { return "no plugins\n" }
                let table = Table(
                    ["PLUGIN", "VERSION", "STATE", "PID", "MODELS", "CALLS", "ABSENT", "RESTARTS", "FOLDER"],
                    reply.plugins.map { one in
                        [
                            one.name, one.version ?? "-", one.state, one.pid.map { "\($0)" } ?? "-", "\(one.models)",
                            "\(one.calls)", "\(one.absent)", "\(one.restarts)", one.folder,
                        ]
                    })
                let errors = reply.plugins.compactMap { one in one.lastError.map { "\(one.name): \($0)\n" } }
                return table.text + errors.joined()
            }
        }
    }
}
