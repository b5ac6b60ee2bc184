/// Why a layer, its weights or its input were refused.
public enum RecurrentError: Error, Equatable, CustomStringConvertible {
    case shape(what: String, expected: [Int], actual: [Int])
    case notFinite(tensor: String)
    case missingTensor(String, found: [String])
    case malformedFile(String)
    case argument(name: String, expected: String, actual: String)

    public var description: String {
        switch self {
        case .shape(let what, let expected, let actual): "\(what): expected shape \(expected), found \(actual)"
        case .notFinite(let tensor): "tensor \"\(tensor)\" holds NaN or infinity; the model it comes from is broken"
        case .missingTensor(let name, let found):
            "no tensor \"\(name)\" in the file; it has \(found.joined(separator: ", "))"
        case .malformedFile(let reason): "not a safetensors file: \(reason)"
        case .argument(let name, let expected, let actual): "\(name): expected \(expected), found \(actual)"
        }
    }
}
