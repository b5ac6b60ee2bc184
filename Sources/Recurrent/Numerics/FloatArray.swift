extension [Float] {
    /// `count` floats that `body` writes, every one of them.
    init(count: Int, writing body: (UnsafeMutableBufferPointer<Float>) -> Void) {
        guard count > 0 else {
            // Given no room, the initializer below writes a length of 0 into the storage that all empty arrays share.
            self = []
            withUnsafeMutableBufferPointer { body($0) }
            return
        }
        self.init(unsafeUninitializedCapacity: count) { floats, written in
            body(UnsafeMutableBufferPointer(rebasing: floats[..<count]))
            written = count
        }
    }
}
