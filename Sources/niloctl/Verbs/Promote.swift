import ArgumentParser
import ControlInterface

struct Promote: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let a version serve every series of its forecaster.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The forecaster.", completion: .custom(Names.forecasters)) var name: String
    @Argument(help: "The version's number.") var version: Int

    func run() throws {
        try common.connected { client in
            let question = Control.Promote.Request(forecaster: name, version: version)
            let reply = try client.call(Control.qualified("Promote"), question, as: Control.Promote.Reply.self)
            try common.show(reply) { "version \(version) serves \($0.series) series\n" }
        }
    }
}

struct Rollback: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Return every series to the version it had before.",
        discussion: """
            A second rollback goes forward again, to the version that was just left. To go back further, name the version: \
            `niloctl promote FORECASTER VERSION`; `niloctl models FORECASTER` lists them.
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "The forecaster.", completion: .custom(Names.forecasters)) var name: String

    func run() throws {
        try common.connected { client in
            let question = Control.Rollback.Request(forecaster: name)
            let reply = try client.call(Control.qualified("Rollback"), question, as: Control.Rollback.Reply.self)
            try common.show(reply) { "\($0.series) series went back\n" }
        }
    }
}
