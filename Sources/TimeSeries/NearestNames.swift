/// The names most like a mistyped one, for "did you mean".
///
/// A long name has none, and of many names those are compared first whose bytes differ least: a mistake must not cost
/// more than a moment, however many names there are.
///
/// - Returns: at most `limit` of `names`, nearest first by edit distance, none farther than half the length of `name`.
public func nearestNames(to name: String, among names: some Sequence<String>, limit: Int = 3) -> [String] {
    let wanted = Array(name.utf8)
    guard wanted.count <= NameDistance.longest else { return [] }
    let bound = max(2, wanted.count / 2)
    let distance = NameDistance(wanted)
    // By what the distance is at least.
    var candidates = [[String]](repeating: [], count: bound + 1)
    for name in names {
        let least = distance.least(name)
        if least <= bound { candidates[least].append(name) }
    }
    var found: [(name: String, distance: Int)] = []
    var steps = 0
    for (least, names) in candidates.enumerated() {
        // None of the others can be nearer than those that were found.
        if found.count >= limit, found[limit - 1].distance < least { break }
        for name in names where steps < NameDistance.maximumSteps {
            let actual = distance.actual(name)
            steps += wanted.count * name.utf8.count
            if actual <= bound { found.append((name, actual)) }
        }
        found = Array(found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit))
    }
    return found.map(\.name)
}

/// Distances of names from one, in bytes.
private struct NameDistance {
    /// Longer names have no distance.
    static let longest = 200
    /// Of the comparisons for one question: some milliseconds.
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

    /// What the distance cannot be below: each edit changes at most one byte into another.
    func least(_ name: String) -> Int {
        guard name.utf8.count <= Self.longest else { return .max }
        var counts = counts
        for byte in name.utf8 { counts[Int(byte)] -= 1 }
        var (missing, surplus) = (0, 0)
        for count in counts {
            if count > 0 { missing += Int(count) } else { surplus -= Int(count) }
        }
        return max(missing, surplus)
    }

    /// Levenshtein's.
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
