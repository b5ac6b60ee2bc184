#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Named float32 tensors as a safetensors file: https://github.com/huggingface/safetensors#format
///
/// | bytes | what |
/// |---|---|
/// | 8 | length n of the header, little-endian |
/// | n | JSON: name → `dtype`, `shape`, `data_offsets` |
/// | rest | the tensors' bytes |
public struct Safetensors: Sendable, Equatable {
    public var tensors: [String: Tensor]

    public init(_ tensors: [String: Tensor]) { self.tensors = tensors }

    private struct Header: Codable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    /// A value of the file's header; nil for what is not a tensor.
    private struct Entry: Decodable {
        var header: Header?

        init(from decoder: any Decoder) { header = try? Header(from: decoder) }
    }

    /// The file's bytes; equal tensors give equal bytes.
    public func encoded() throws -> [UInt8] {
        var headers: [String: Header] = [:]
        var data: [UInt8] = []
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let start = data.count
            for value in tensor.values {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
            }
            headers[name] = Header(dtype: "F32", shape: tensor.shape, data_offsets: [start, data.count])
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let header = [UInt8](try encoder.encode(headers))
        return withUnsafeBytes(of: UInt64(header.count).littleEndian) { [UInt8]($0) } + header + data
    }

    /// - Throws: ``RecurrentError/malformedFile(_:)`` or ``RecurrentError/notFinite(tensor:)``.
    public init(decoding bytes: [UInt8]) throws(RecurrentError) {
        guard bytes.count >= 8 else { throw .malformedFile("it has only \(bytes.count) bytes") }
        let length = bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(bytes.count - 8) else { throw .malformedFile("its header is longer than the file") }
        let start = 8 + Int(length)
        let json = Data(bytes[8..<start])
        guard let entries = try? JSONDecoder().decode([String: Entry].self, from: json) else {
            throw .malformedFile("its header is not a list of tensors")
        }
        var tensors: [String: Tensor] = [:]
        // Other programs write notes of their own there.
        for (name, entry) in entries where name != "__metadata__" {
            guard let header = entry.header else { throw .malformedFile("\"\(name)\" in its header is not a tensor") }
            tensors[name] = try Self.tensor(name, header, bytes[start...])
        }
        self.tensors = tensors
    }

    private static func tensor(
        _ name: String, _ header: Header, _ data: ArraySlice<UInt8>
    ) throws(RecurrentError) -> Tensor {
        guard header.shape.allSatisfy({ $0 >= 0 }) else {
            throw .malformedFile("tensor \"\(name)\" has the shape \(header.shape)")
        }
        let count = Tensor.count(header.shape) ?? Int.max
        guard header.dtype == "F32", header.data_offsets.count == 2 else {
            throw .malformedFile("tensor \"\(name)\" is \(header.dtype); only F32 is read")
        }
        let (from, to) = (header.data_offsets[0], header.data_offsets[1])
        guard from >= 0, to >= from, to <= data.count, count <= data.count, to - from == 4 * count else {
            throw .malformedFile("the offsets of tensor \"\(name)\" do not fit its shape \(header.shape)")
        }
        let bytes = data[(data.startIndex + from)..<(data.startIndex + to)]
        let values = bytes.withUnsafeBytes { raw in
            (0..<count).map {
                Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
        guard values.allSatisfy(\.isFinite) else { throw .notFinite(tensor: name) }
        return Tensor(header.shape, values)
    }

    /// The values of the tensor `name`.
    ///
    /// - Throws: ``RecurrentError/missingTensor(_:found:)``, or ``RecurrentError/shape(what:expected:actual:)`` if its
    ///   shape is not `shape`.
    public func values(_ name: String, shape: [Int]) throws(RecurrentError) -> [Float] {
        guard let tensor = tensors[name] else { throw .missingTensor(name, found: tensors.keys.sorted()) }
        guard tensor.shape == shape else { throw .shape(what: name, expected: shape, actual: tensor.shape) }
        return tensor.values
    }
}
