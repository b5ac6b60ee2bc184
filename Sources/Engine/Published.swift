/// Something that many readers write down in the same way: each form of it is made once, by whoever needs it first, and
/// kept for as long as the thing itself.
public final class Published<Value: Sendable>: Sendable {
    public let value: Value
    private let forms = Locked<[Int: [UInt8]]>([:])

    /// More would be one for each whim of a reader.
    private static var formLimit: Int { 4 }

    init(_ value: Value) { self.value = value }

    /// The bytes of one form.
    ///
    /// - Parameters:
    ///   - number: names the form among those of this value.
    ///   - make: writes it; others who want it wait meanwhile.
    /// - Throws: what `make` throws; the next who wants the form tries again.
    public func form(_ number: Int, _ make: (Value) throws -> [UInt8]) rethrows -> [UInt8] {
        try forms.withLock { forms in
            if let known = forms[number] { return known }
            if forms.count >= Self.formLimit { forms = [:] }
            let made = try make(value)
            forms[number] = made
            return made
        }
    }
}
