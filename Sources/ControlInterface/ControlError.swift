public import Varlink

/// The errors of the interface.
public enum ControlError: Sendable, Hashable {
    case unknownSeries(name: String, nearest: [String], text: String)
    case refused(text: String)
    case notPermitted(text: String)
    case busy(text: String)

    /// The error as sent over the wire.
    public var varlink: VarlinkError {
        switch self {
        case .unknownSeries(let name, let nearest, let text):
            VarlinkError(
                Control.qualified("UnknownSeries"),
                ["name": .string(name), "nearest": .array(nearest.map { .string($0) }), "text": .string(text)])
        case .refused(let text): VarlinkError(Control.qualified("Refused"), ["text": .string(text)])
        case .notPermitted(let text): VarlinkError(Control.qualified("NotPermitted"), ["text": .string(text)])
        case .busy(let text): VarlinkError(Control.qualified("Busy"), ["text": .string(text)])
        }
    }
}
