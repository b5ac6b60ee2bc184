/// An unsolicited message for the operator.
public struct EngineNotice: Sendable, CustomStringConvertible {
    public enum Level: Sendable {
        /// Normal operation.
        case notice
        /// May need an operator's attention.
        case warning
    }

    public let level: Level
    public let description: String

    static func notice(_ text: String) -> EngineNotice { EngineNotice(level: .notice, description: text) }
    static func warning(_ text: String) -> EngineNotice { EngineNotice(level: .warning, description: text) }
}
