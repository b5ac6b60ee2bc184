import Foundation
import TestSupport

/// Programs that are not ours, fetched from Debian and PyPI into `.build`, never installed.
enum OutsideSoftware {
    struct Missing: Error, CustomStringConvertible { let description: String }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let folder = root.appending(path: ".build/outside").path

    /// Unpacks a Debian package.
    ///
    /// - Returns: the folder that stands for `/`.
    static func debian(_ package: String) throws -> String {
        let target = "\(folder)/\(package)"
        if FileManager.default.fileExists(atPath: target) { return target }
        let script = """
            set -e
            mkdir -p \(folder) && cd "$(mktemp -d)"
            apt-get download \(package) || { sudo=$([ "$(id -u)" = 0 ] || echo "sudo -n"); $sudo apt-get update -qq; apt-get download \(package); }
            dpkg -x \(package)_*.deb unpacked
            mv unpacked \(target)
            """
        try shell(script, orElse: "Debian's \(package) could not be fetched")
        return target
    }

    /// A virtual environment with a package of PyPI.
    ///
    /// - Returns: its Python.
    static func python(_ requirement: String) throws -> String {
        let target = "\(folder)/\(requirement)"
        let python = "\(target)/bin/python"
        if FileManager.default.fileExists(atPath: "\(target)/ready") { return python }
        let script =
            "python3 -m venv --clear '\(target)' && '\(python)' -m pip install -q '\(requirement)' && touch '\(target)/ready'"
        try shell(script, orElse: "PyPI's \(requirement) could not be installed")
        return python
    }

    /// Within a minute.
    private static func shell(_ script: String, orElse reason: String) throws {
        let result = try ChildProcess.run("/usr/bin/timeout", ["60", "/bin/bash", "-c", script])
        guard result.code == 0 else {
            throw Missing(description: "\(reason): \(result.output.split(separator: "\n").last ?? "no output")")
        }
    }
}
