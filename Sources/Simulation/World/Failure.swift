/// A promise that a world saw broken.
public struct Failure: Error, Sendable, CustomStringConvertible {
    /// The promise, in a few words.
    public var promise: String
    public var details: String
    /// The index of the operation during or after which it was seen.
    public var operation: Int

    public var description: String { "operation \(operation): \(promise): \(details)" }
}

/// What happened in a world: a hash of all of it and, on request, lines to read.
final class Trace {
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    /// Receives each line; nil: nobody reads it.
    let print: ((String) -> Void)?

    init(print: ((String) -> Void)?) { self.print = print }

    /// Notes an event: its kind and its numbers go into the hash.
    func note(_ kind: StaticString, _ numbers: [Int64] = [], _ text: @autoclosure () -> String = "") {
        for byte in UnsafeBufferPointer(start: kind.utf8Start, count: kind.utf8CodeUnitCount) { mix(UInt64(byte)) }
        for number in numbers { mix(UInt64(bitPattern: number)) }
        if let print { print("  \(kind) \(numbers.map(String.init).joined(separator: " ")) \(text())") }
    }

    func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x0000_0100_0000_01B3
        hash ^= hash >> 29
    }
}
