/// Reports to the operator that the disk is full, and that it no longer is: at most once a minute.
struct FullDiskReport {
    /// Whether a full disk was reported whose end was not.
    private var isReported = false
    /// When a full disk was last reported, in nanoseconds of the monotonic clock.
    private var reportedAt: Int64?

    private static let interval: Int64 = 60_000_000_000

    mutating func update(isFull: Bool, monotonic: Int64, _ report: (EngineNotice) -> Void) {
        guard isFull != isReported else { return }
        if isFull {
            // On a disk that is nearly full, small commits succeed between large ones that fail.
            if let reportedAt, monotonic - reportedAt < Self.interval { return }
            reportedAt = monotonic
            report(.warning("the disk is full: readings are refused until there is room again"))
        } else {
            report(.notice("there is room on the disk again: readings are accepted"))
        }
        isReported = isFull
    }
}
