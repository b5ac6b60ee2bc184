import ArgumentParser
import ControlInterface

struct State: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the running state of a series: model, position, SHA-256.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The series.", completion: .custom(Names.series)) var series: String

    func run() throws {
        try common.connected { client in
            let question = Control.GetState.Request(series: try client.resolve(series))
            let reply = try client.call(Control.qualified("GetState"), question, as: Control.GetState.Reply.self)
            try common.show(reply) { state in
                """
                series    \(state.series)
                model     \(state.forecaster): \(state.method), version \(state.modelVersion)
                absorbed  journal position \(state.position), slot \(state.slot) (\(state.time))
                state     \(state.bytes) bytes, SHA-256 \(state.sha256)

                """
            }
        }
    }
}

struct Reset: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Reset the state of a series.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The series.", completion: .custom(Names.series)) var series: String
    @Flag(help: "Replay the newest readings, late ones too.") var warm = false

    func run() throws {
        try common.connected { client in
            let question = Control.Reset.Request(series: try client.resolve(series), warm: warm)
            let reply = try client.call(Control.qualified("Reset"), question, as: Control.Reset.Reply.self)
            try common.show(reply) { _ in "\(series) was reset\n" }
        }
    }
}
