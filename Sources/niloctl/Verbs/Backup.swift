import ArgumentParser
import ControlInterface

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Copy the database to a file while the daemon runs.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The file to write.", completion: .file()) var file: String
    @Flag(help: "Replace the file if it is there.") var force = false

    func run() throws {
        let target = try BackupFile(file, replaces: force)
        do {
            try common.connected { client in
                try client.stream(Control.qualified("Backup"), as: Control.Backup.Reply.self) { reply in
                    target.write([UInt8](Data(base64Encoded: reply.data) ?? Data()))
                }
            }
        } catch {
            target.drop()
            throw error
        }
        let size = try target.finish()
        try common.show(["bytes": size]) { "\(file): \($0["bytes"] ?? 0) bytes\n" }
    }
}
