/// The names closest to a mistyped one, for "did you mean" suggestions.
///
/// A name longer than 200 bytes gets no suggestions. Names whose byte counts differ least are compared first, and the
/// work is bounded: a typo must not cost more than a moment, however many names there are.
///
/// - Returns: at most `limit` of `names`, nearest first by edit distance, none farther than two edits or half the
///   length of `name`, whichever is more.
public func nearestNames(to name: String, among names: some Sequence<String>, limit: Int = 3) -> [String] {
    let wanted = Array(name.utf8)
    guard wanted.count <= NameDistance.longest else { return [] }
    let bound = max(2, wanted.count / 2)
    let distance = NameDistance(wanted)
    // Indexed by a lower bound of the distance.
    var candidates = [[String]](repeating: [], count: bound + 1)
    for name in names {
        let lowerBound = distance.lowerBound(name)
        if lowerBound <= bound { candidates[lowerBound].append(name) }
    }
    var nearest: [(name: String, distance: Int)] = []
    var steps = 0
    for (lowerBound, names) in candidates.enumerated() {
        // No remaining candidate can be nearer than those already selected.
        if nearest.count >= limit, nearest[limit - 1].distance < lowerBound { break }
        for name in names where steps < NameDistance.maximumSteps {
            let actual = distance.actual(name)
            steps += wanted.count * name.utf8.count
            if actual <= bound { nearest.append((name, actual)) }
        }
        nearest = Array(nearest.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit))
    }
    return nearest.map(\.name)
}

/// Edit distances from one name, in bytes.
private struct NameDistance {
    /// Longer names are not compared.
    static let longest = 200
    /// The limit on comparison steps per query: a few milliseconds.
    static let maximumSteps = 2_000_000

    private let wanted: [UInt8]
    private let counts: [Int32]

    init(_ wanted: [UInt8]) {
        self.wanted = wanted
        counts = Self.counts(wanted)
    }

    private static func counts(_ bytes: some Sequence<UInt8>) -> [Int32] {
        var counts = [Int32](repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] += 1 }
        return counts
    }

    /// A lower bound of the distance: each edit changes at most one byte into another.
    func lowerBound(_ name: String) -> Int {
        guard name.utf8.count <= Self.longest else { return .max }
        var counts = counts
        for byte in name.utf8 { counts[Int(byte)] -= 1 }
        var (missing, surplus) = (0, 0)
        for count in counts {
            if count > 0 { missing += Int(count) } else { surplus -= Int(count) }
        }
        return max(missing, surplus)
    }

    /// The Levenshtein distance.
    func actual(_ name: String) -> Int {
        let name = Array(name.utf8)
        var row = Array(0...name.count)
        for (i, byte) in wanted.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in name.indices {
                let substitution = diagonal + (byte == name[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[name.count]
    }
}
