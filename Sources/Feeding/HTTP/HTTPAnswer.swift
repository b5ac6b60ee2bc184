import LineProtocol
import NIOHTTP1
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An HTTP response before it is written.
struct HTTPAnswer {
    var status: HTTPResponseStatus
    var headers: [(String, String)] = []
    var body = ""
    /// Whether the body is left out, in reply to HEAD.
    var omitsBody = false

    init(_ status: HTTPResponseStatus) { self.status = status }

    /// A failure in the form of InfluxDB's API, with the keys of both dialects, because each client reads its own.
    init(_ status: HTTPResponseStatus, problem: String, code: String, line: Int? = nil, extra: [(String, String)] = [])
    {
        self.status = status
        body = Self.json(Failure(code: code, message: problem, error: problem, line: line))
        headers = [("Content-Type", "application/json; charset=utf-8"), ("X-Influxdb-Error", Self.headerText(problem))]
        headers += extra
    }

    /// Some lines were refused; the others are on disk.
    static func refused(_ outcome: LineIntake.Outcome, _ dialect: WriteTarget.Dialect) -> HTTPAnswer {
        let shown = outcome.problems.prefix(20).map(\.description).joined(separator: "\n")
        let more = outcome.refused > 20 ? "\nand \(outcome.refused - 20) more" : ""
        let head = dialect == .v1 ? "partial write: " : ""
        let text = "\(head)\(shown)\(more)\n\(outcome.accepted) readings of the other lines were accepted"
        return HTTPAnswer(.badRequest, problem: text, code: "invalid", line: outcome.problems.first?.line)
    }

    static func wrongMethod(_ allowed: String) -> HTTPAnswer {
        HTTPAnswer(
            .methodNotAllowed, problem: "expected the method \(allowed)", code: "method not allowed",
            extra: [("Allow", allowed)])
    }

    static func metrics(_ metrics: [Metric]) -> HTTPAnswer {
        var answer = HTTPAnswer(.ok)
        answer.headers = [("Content-Type", PrometheusText.contentType)]
        answer.body = PrometheusText.encode(metrics)
        return answer
    }

    static func health(_ trouble: String?) -> HTTPAnswer {
        var answer = HTTPAnswer(trouble == nil ? .ok : .serviceUnavailable)
        answer.headers = [("Content-Type", "application/json; charset=utf-8")]
        answer.body = json(
            Health(name: "nilod", message: trouble ?? "ready for writes", status: trouble == nil ? "pass" : "fail"))
        return answer
    }

    private struct Failure: Encodable {
        var code: String
        var message: String
        var error: String
        var line: Int?
    }

    private struct Health: Encodable {
        var name: String
        var message: String
        var status: String
    }

    /// One line; unprintable characters are escaped, because a log or a terminal may show it.
    private static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ((try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}").visible + "\n"
    }

    /// The text as one line of printable ASCII, which is all that a header may hold, cut to 200 bytes.
    private static func headerText(_ text: String) -> String {
        String(decoding: text.utf8.prefix(200).map { $0 < 0x20 || $0 > 0x7E ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }
}
