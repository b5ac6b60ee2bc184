import ArgumentParser
import ControlInterface

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the database for damage, and say what to do about it.",
        discussion:
            "Every checksum is verified, so this takes a while on a large database. Exits with 65 on a finding.")
    @OptionGroup var common: CommonOptions

    func run() throws {
        var isHealthy = true
        try common.connected { client in
            let reply = try client.call(Control.qualified("Examine"), as: Control.Examine.Reply.self)
            isHealthy = reply.findings.isEmpty
            try common.show(reply) { reply in
                let size = "\(reply.chunks) chunks, \(short(Double(reply.chunkBytes) / 1e6, digits: 3)) MB"
                let findings = isHealthy ? ["nothing is damaged (\(size))"] : reply.findings
                return (findings + reply.remarks).map { "\($0)\n" }.joined()
            }
        }
        if !isHealthy { throw ExitCode(65) }
    }
}
