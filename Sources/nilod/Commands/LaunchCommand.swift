import ArgumentParser
import CLauncher
import Glibc

/// Runs a command that cannot outlive the daemon; the daemon starts every child through it.
struct Launch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command as a child that ends with its parent, with limits.",
        discussion: """
            A socket on standard input becomes the command's descriptor 3, with LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID \
            as sd_listen_fds(3) has them; nothing else is open. When the command ends, the parent ends, or SIGTERM comes, \
            all descendants are killed.
            """, shouldDisplay: false)

    @Option(help: "Bytes of private memory of each process; 0 for no limit.") var memory: Int64 = 0
    @Option(help: "Descriptors each process may have open.") var files: Int64 = 256
    @Option(help: "Processes and threads of this user.") var processes: Int64 = 512
    @Option(help: "Added to the priority, 0 to 19.") var nice: Int32 = 0
    @Option(help: "Where the command runs.") var directory: String?
    @Argument(parsing: .postTerminator, help: "The program and its arguments.") var command: [String]

    func validate() throws {
        if command.isEmpty { throw ValidationError("expected a command behind --") }
    }

    func run() throws {
        var arguments = command.map { strdup($0) } + [nil]
        let path = directory.map { strdup($0) }
        var limits = launcher_limits(
            memory: memory, files: files, processes: processes, niceness: nice,
            directory: path.flatMap { UnsafePointer($0) })
        Glibc.exit(launcher_run(&arguments, &limits))
    }
}
