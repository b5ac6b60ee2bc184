import Foundation
import Glibc

/// A program of the system that a test runs beside ours.
public enum Tool {
    /// The path of `name`; installed through apt where that is possible, else nil with the reason printed.
    public static func path(_ name: String, package: String) throws -> String? {
        if let found = find(name) { return found }
        guard getuid() == 0, let apt = find("apt-get") else {
            skip("\(name) is not installed, and only root can install \(package)")
            return nil
        }
        let quiet = ["DEBIAN_FRONTEND": "noninteractive"]
        try ChildProcess(apt, ["update", "-qq"], environment: quiet).wait()
        try ChildProcess(apt, ["install", "-y", "-qq", "--no-install-recommends", package], environment: quiet).wait()
        if let found = find(name) { return found }
        skip("\(package) could not be installed")
        return nil
    }

    private static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        for folder in path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"] {
            let program = "\(folder)/\(name)"
            if FileManager.default.isExecutableFile(atPath: program) { return program }
        }
        return nil
    }
}
