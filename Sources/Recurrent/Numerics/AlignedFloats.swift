/// A buffer of floats aligned to 64 bytes, so that no vector straddles two cache lines.
///
/// Reused from call to call, so that a training step allocates nothing.
final class AlignedFloats {
    private(set) var count = 0
    private(set) var base: UnsafeMutablePointer<Float>
    private var capacity: Int

    init(count: Int = 0) {
        capacity = max(count, 16)
        base = Self.allocate(capacity)
        clear(count)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64).bindMemory(
            to: Float.self, capacity: count)
    }

    /// Resizes to `count` floats, all zero.
    func clear(_ count: Int) {
        reserve(count)
        base.initialize(repeating: 0, count: count)
    }

    /// Resizes to `count` floats with unspecified but finite content: zeros or old values.
    func reserve(_ count: Int) {
        self.count = count
        guard count > capacity else { return }
        UnsafeMutableRawPointer(base).deallocate()
        capacity = count
        base = Self.allocate(count)
        base.initialize(repeating: 0, count: count)
    }
}
