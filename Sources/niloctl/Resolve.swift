import ControlInterface
import Varlink

extension VarlinkClient {
    /// The name of the series that `text` names; a pattern must match exactly one.
    func resolve(_ text: String) throws -> String {
        guard text.contains("*") else { return text }
        let found = try call(
            Control.qualified("ListSeries"), Control.ListSeries.Request(selector: text),
            as: Control.ListSeries.Reply.self
        ).series.map(\.name)
        guard found.count == 1 else {
            let names = found.prefix(5).map { "\n  \($0)" }.joined()
            throw Exit.say(
                "\"\(text)\" matches \(found.count) series, expected one; `niloctl series` lists them\(names)", 65)
        }
        return found[0]
    }
}
