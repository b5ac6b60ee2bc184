import Glibc

/// Points where a test kills the process with a real `kill -9`.
///
/// `NILOMETER_FAILPOINT=name=N` kills the process the N-th time it reaches `name`, after writing a line to the file
/// that `NILOMETER_FAILPOINT_LOG` names. Unset, a failpoint costs one comparison.
package enum Failpoint: String {
    /// Inside the transaction of a group commit, before COMMIT.
    case commit
    /// After COMMIT, before the commit is acknowledged.
    case committed
    /// Inside the transaction of a promotion, before COMMIT.
    case promotion
    /// Inside a transaction that seals a series, before COMMIT.
    case seal
    /// Inside the transaction of a migration, before COMMIT.
    case migration

    private static let armed: (name: String, countdown: Countdown)? = {
        guard let setting = getenv("NILOMETER_FAILPOINT").map({ String(cString: $0) }) else { return nil }
        let parts = setting.split(separator: "=")
        guard parts.count == 2, let count = Int(parts[1]) else { return nil }
        return (String(parts[0]), Countdown(count))
    }()

    /// Kills the process if this failpoint is armed and its count is reached.
    package func hit() {
        guard let armed = Self.armed, armed.name == rawValue, armed.countdown.countDown() else { return }
        if let path = getenv("NILOMETER_FAILPOINT_LOG") {
            let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
            _ = (rawValue + "\n").withCString { write(file, $0, strlen($0)) }
            close(file)
        }
        kill(getpid(), SIGKILL)
    }
}
