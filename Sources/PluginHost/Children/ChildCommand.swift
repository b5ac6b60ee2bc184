/// What a child process may use.
public struct ChildLimits: Sendable, Hashable {
    /// Bytes of private memory of each of its processes; 0 for no limit.
    public var memory: Int64
    /// Descriptors each of its processes may have open.
    public var files: Int
    /// Processes and threads that there may be of the daemon's user; not kept from root.
    public var processes: Int
    /// How much lower than the daemon's its priority is, 0 to 19.
    public var niceness: Int

    public init(memory: Int64 = 1 << 30, files: Int = 256, processes: Int = 512, niceness: Int = 0) {
        (self.memory, self.files, self.processes, self.niceness) = (memory, files, processes, niceness)
    }
}

/// A command to be run as a child.
public struct ChildCommand: Sendable {
    /// The path of `nilod`, whose `launch` starts the command.
    public var launcher: String
    /// The program, found through PATH, and its arguments.
    public var command: [String]
    /// Where it runs; nil: where the daemon does.
    public var directory: String?
    public var limits: ChildLimits

    public init(launcher: String, command: [String], directory: String? = nil, limits: ChildLimits) {
        (self.launcher, self.command, self.directory, self.limits) = (launcher, command, directory, limits)
    }

    /// The launcher's arguments, its own name first.
    var arguments: [String] {
        let place = directory.map { ["--directory", $0] } ?? []
        return [
            launcher, "launch", "--memory", "\(limits.memory)", "--files", "\(limits.files)", "--processes",
            "\(limits.processes)", "--nice", "\(limits.niceness)",
        ] + place + ["--"] + command
    }
}
