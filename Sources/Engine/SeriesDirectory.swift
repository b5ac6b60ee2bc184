import TimeSeries

/// Which series there are and which shard owns each: written by the writer after a commit, read by anybody.
final class SeriesDirectory: Sendable {
    private struct Content {
        var byKey: [SeriesKey: SeriesID] = [:]
        var byID: [SeriesID: SeriesKey] = [:]
    }

    private let content = Locked(Content())

    var count: Int { content.withLock { $0.byKey.count } }

    func add(_ id: SeriesID, _ key: SeriesKey) {
        content.withLock { content in
            content.byKey[key] = id
            content.byID[id] = key
        }
    }

    func remove(_ id: SeriesID) {
        content.withLock { content in
            if let key = content.byID.removeValue(forKey: id) { content.byKey.removeValue(forKey: key) }
        }
    }

    /// - Throws: ``EngineError/unknownSeries(_:nearest:)``.
    func id(of name: String) throws(EngineError) -> SeriesID {
        if let id = known(name) { return id }
        // Looked through without the lock, which event loops wait for.
        let byKey = content.withLock { $0.byKey }
        throw .unknownSeries(name, nearest: nearestNames(to: name, among: byKey.keys.map(\.description)))
    }

    /// The series of a name as a person may write it; nil if there is none.
    func known(_ name: String) -> SeriesID? {
        let wanted = (try? SeriesKey(parsing: name)) ?? SeriesKey(canonical: name)
        return content.withLock { $0.byKey[wanted] }
    }

    func key(of id: SeriesID) -> SeriesKey? { content.withLock { $0.byID[id] } }

    /// The selected series, by name.
    func matching(_ selector: SeriesSelector) -> [(id: SeriesID, key: SeriesKey)] {
        let byKey = content.withLock { $0.byKey }
        return byKey.filter { selector.matches($0.key) }.map { ($0.value, $0.key) }.sorted { $0.key < $1.key }
    }
}
