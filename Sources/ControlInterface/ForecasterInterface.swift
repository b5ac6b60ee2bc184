public import Varlink

/// `org.nilometer.Forecaster`: the methods that a plugin process implements. Names and types are those of the interface
/// file.
public enum ForecasterInterface {
    public static let name = "org.nilometer.Forecaster"
    /// The version of the contract that this daemon speaks.
    public static let contract = 1

    /// The interface file.
    public static var description: String {
        String(decoding: PackageResources.org_nilometer_Forecaster_varlink, as: UTF8.self)
    }

    /// The qualified name of a method or an error.
    public static func qualified(_ bare: String) -> String { "\(name).\(bare)" }
}

/// The errors of the interface.
public enum ForecasterInterfaceError: Sendable, Hashable {
    case badParameter(parameter: String, text: String)
    case badWeights(text: String)
    case unknownModel(model: String)
    case badPayload(name: String, text: String)
    case trainingFailed(text: String)

    /// The error as sent over the wire.
    public var varlink: VarlinkError {
        func error(_ name: String, _ parameters: [String: String]) -> VarlinkError {
            VarlinkError(ForecasterInterface.qualified(name), parameters.mapValues { .string($0) })
        }
        return switch self {
        case .badParameter(let parameter, let text): error("BadParameter", ["parameter": parameter, "text": text])
        case .badWeights(let text): error("BadWeights", ["text": text])
        case .unknownModel(let model): error("UnknownModel", ["model": model])
        case .badPayload(let name, let text): error("BadPayload", ["name": name, "text": text])
        case .trainingFailed(let text): error("TrainingFailed", ["text": text])
        }
    }
}
