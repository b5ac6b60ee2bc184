extension [Float] {
    /// Creates `count` floats, every one of which `body` must write.
    init(count: Int, writing body: (UnsafeMutableBufferPointer<Float>) -> Void) {
        guard count > 0 else {
            // For a capacity of 0, the initializer below writes a length of 0 into the storage that all empty arrays
            // share.
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
