import ArgumentParser
import Storage

/// Makes a database that can be started of one whose write-ahead log is damaged or cut.
struct SalvageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "salvage", abstract: "Keep what can be read of a database with a damaged log.",
        discussion: """
            For a daemon that says that its write-ahead log is damaged, or that acknowledged readings are missing. Keeps the \
            files as they were beside the new ones, and says what is left. Copy the whole state folder first if you can.
            """)

    @OptionGroup var options: SettingsOptions

    func run() throws {
        do {
            let path = try options.load().stateDirectory + "/nilo.db"
            let outcome = try Salvage(path: path).run()
            Console.print("\(path) holds readings up to journal position \(outcome.position) now")
            if let acknowledged = outcome.acknowledged {
                let lost = max(0, acknowledged - outcome.position)
                Console.print("\(lost) acknowledged readings are missing")
            }
            if outcome.droppedFrames > 0 { Console.print("\(outcome.droppedFrames) frames of the log were left out") }
            for path in outcome.kept { Console.print("kept as it was: \(path)") }
        } catch let error as SettingsError {
            throw Exit.say("\(error)", Int32(78))
        } catch {
            throw Exit.forStart(error)
        }
    }
}
