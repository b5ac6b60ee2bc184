/// The names most like a mistyped one, for "did you mean".
///
/// - Returns: at most `limit` of `names`, nearest first by edit distance, none farther than half the length of `name`.
public func nearestNames(to name: String, among names: some Sequence<String>, limit: Int = 3) -> [String] {
    let wanted = Array(name.utf8.prefix(200))
    let scored = names.map { (name: $0, distance: editDistance(wanted, Array($0.utf8.prefix(200)))) }
    let near = scored.filter { $0.distance <= max(2, wanted.count / 2) }
    return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit).map(\.name)
}

/// Levenshtein's distance in bytes.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, byte) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let substitution = diagonal + (byte == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[b.count]
}
