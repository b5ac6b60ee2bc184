import Foundation
import TestSupport

/// One run of the real `niloctl`.
struct Niloctl {
    let code: Int32
    let output: String
    let errors: String

    init(_ socket: String, _ arguments: String..., input: String? = nil) throws {
        let child = try ChildProcess(
            "niloctl", arguments, environment: ["NILOMETER_SOCKET": socket], input: input)
        code = child.wait()
        output = child.standardOutput
        errors = child.standardError
    }

    /// What `--json` printed, one object a line.
    var json: [[String: Any]] {
        output.split(separator: "\n").compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        }
    }
}

/// A forecaster that needs no training, over everything.
let smooth = """
    [[series]]
    select = "*"
    cadence = "10s"

    [[forecaster]]
    name = "smooth"
    method = "holt-winters"
    series = ["*"]
    horizon = 6
    """

/// Lines of one series, a slot of ten seconds each.
func lines(_ name: String, _ slots: Range<Int>) -> String {
    slots.map { "room,id=\(name) t=\(20 + $0 % 5) \((1_750_000_000 + $0 * 10) * 1_000_000_000)\n" }.joined()
}
