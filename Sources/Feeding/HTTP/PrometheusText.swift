/// A metric of the daemon for Prometheus.
public struct Metric: Sendable {
    public enum Kind: String, Sendable { case counter, gauge }

    public var name: String
    public var help: String
    public var kind: Kind
    /// A value and its labels.
    public typealias Value = (labels: [(name: String, value: String)], value: Double)

    /// One value per set of labels.
    public var values: [Value]

    public init(_ name: String, _ kind: Kind, help: String, _ value: Double) {
        self.init(name, kind, help: help, values: [([], value)])
    }

    public init(
        _ name: String, _ kind: Kind, help: String, values: [Value]
    ) {
        (self.name, self.kind, self.help, self.values) = (name, kind, help, values)
    }
}

/// Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    static func encode(_ metrics: [Metric]) -> String {
        metrics.map { metric in
            "# HELP \(metric.name) \(escaped(metric.help))\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
                + metric.values.filter(\.value.isFinite).map { "\(metric.name)\(labels($0.labels)) \($0.value)\n" }
                .joined()
        }.joined()
    }

    private static func labels(_ labels: [(name: String, value: String)]) -> String {
        guard !labels.isEmpty else { return "" }
        let pairs = labels.map { "\($0.name)=\"\(escaped($0.value).replacing("\"", with: "\\\""))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

}
