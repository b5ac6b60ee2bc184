/// Something that an operator wants to know, and that nobody has asked for.
public struct EngineNotice: Sendable, CustomStringConvertible {
    public enum Level: Sendable {
        /// What happens in the normal course of things.
        case notice
        /// What may need a person.
        case warning
    }

    public let level: Level
    public let description: String

    static func notice(_ text: String) -> EngineNotice { EngineNotice(level: .notice, description: text) }
    static func warning(_ text: String) -> EngineNotice { EngineNotice(level: .warning, description: text) }
}
