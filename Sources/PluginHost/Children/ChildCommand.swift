/// Resource limits of a child process.
public struct ChildLimits: Sendable, Hashable {
    /// Private memory of each of its processes, in bytes; 0 for no limit.
    public var memory: Int64
    /// Open descriptors of each of its processes.
    public var files: Int
    /// Processes and threads of the daemon's user; does not apply to root.
    public var processes: Int
    /// What is added to the daemon's nice value, 0 to 19.
    public var niceness: Int

    public init(memory: Int64 = 1 << 30, files: Int = 256, processes: Int = 512, niceness: Int = 0) {
        (self.memory, self.files, self.processes, self.niceness) = (memory, files, processes, niceness)
    }
}

/// A command to be run as a child process.
public struct ChildCommand: Sendable {
    /// The path of `nilod`, whose `launch` starts the command.
    public var launcher: String
    /// The program, found through PATH, and its arguments.
    public var command: [String]
    /// The working directory; nil for the daemon's.
    public var directory: String?
    public var limits: ChildLimits

    public init(launcher: String, command: [String], directory: String? = nil, limits: ChildLimits) {
        (self.launcher, self.command, self.directory, self.limits) = (launcher, command, directory, limits)
    }

    /// The launcher's arguments, its own name first.
    var arguments: [String] {
        let directoryOption = directory.map { ["--directory", $0] } ?? []
        return [
            launcher, "launch", "--memory", "\(limits.memory)", "--files", "\(limits.files)", "--processes",
            "\(limits.processes)", "--nice", "\(limits.niceness)",
        ] + directoryOption + ["--"] + command
    }
}
