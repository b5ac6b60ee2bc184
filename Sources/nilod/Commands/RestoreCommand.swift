import ArgumentParser
import Forecasting
import Glibc
import Storage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Puts a backup into an empty state folder, after verifying it.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup into a state folder that holds no database.",
        discussion: """
            For a daemon that is stopped. The backup is copied, every checksum of the copy is verified, and only then is it \
            given its name, the owner of the folder and mode 0640. A database that is there already is not touched: move it \
            and its nilo.db-wal and nilo.db.mark away first.

            Example:
              nilod restore /backup/nilo-monday.db --state-dir /var/lib/nilometer
            """)

    @Argument(help: "What `niloctl backup` wrote.") var file: String
    @OptionGroup var options: SettingsOptions

    func run() throws {
        do {
            guard access(file, R_OK) == 0 else { throw Exit.unreadable(file) }
            Glibc.umask(StateFolder.umask)
            let state = try StateFolder(try options.load().stateDirectory)
            // The copy has the backup's mode until it is verified; nobody else may reach it meanwhile.
            for warning in state.tighten() { Console.complain(warning) }
            try Self.refuseDatabase(in: state.folder)
            let readings = try restore(to: state)
            Console.print("\(state.database) is restored: \(readings)")
        } catch let error as SettingsError {
            throw Exit.say("\(error)", Int32(78))
        } catch {
            throw Exit.forStart(error)
        }
    }

    /// What belongs to another database would be mixed with the backup, or keep it from being started.
    private static func refuseDatabase(in folder: Directory) throws {
        for name in ["nilo.db", "nilo.db-wal", "nilo.db-journal", "nilo.db.mark", "nilo.db.salvaged"]
        where folder.status(of: name) != nil {
            throw Exit.say(
                "\(folder.path)/\(name) is there: expected a folder without a database; move it away, or name another "
                    + "--state-dir", 73)
        }
    }

    /// - Returns: what it holds, for people.
    private func restore(to state: StateFolder) throws -> String {
        let copy = BackupCopy.path(in: state.folder.path)
        defer { BackupCopy.remove(copy) }
        do {
            try FileManager.default.copyItem(atPath: file, toPath: copy)
        } catch {
            throw Exit.say("\(file) cannot be copied: \(error.localizedDescription)", 66)
        }
        let store = try Store(path: copy)
        let findings = try store.scrub()
        let series = try store.series().count
        let position = try store.lastPosition()
        try store.close()
        guard findings.isEmpty else {
            throw Exit.say("\(file) is damaged: \(findings.joined(separator: "; "))", 65)
        }
        try Self.publish(copy, as: state.database, in: state.folder)
        return "\(series) series, readings up to journal position \(position)"
    }

    /// Gives the verified copy its name, durably.
    private static func publish(_ copy: String, as database: String, in folder: Directory) throws {
        let descriptor = open(copy, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var owner = stat()
        guard descriptor >= 0, fstat(folder.descriptor, &owner) == 0,
            geteuid() != 0 || fchown(descriptor, owner.st_uid, owner.st_gid) == 0, fchmod(descriptor, 0o640) == 0,
            fsync(descriptor) == 0, rename(copy, database) == 0, fsync(folder.descriptor) == 0
        else { throw Exit.say("\(database) cannot be made: \(String(cString: strerror(errno)))", 73) }
    }
}
