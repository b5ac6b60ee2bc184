import Basics
import TimeSeries

/// The existing series by key and by ID: updated by the writer after a commit, read from any thread.
final class SeriesDirectory: Sendable {
    private struct Content {
        var byKey: [SeriesKey: SeriesID] = [:]
        var byID: [SeriesID: SeriesKey] = [:]
    }

    private let content = Locked(Content())
    private let runtime: any Runtime
    /// One search for names similar to a mistyped one runs at a time.
    private let search = AsyncMutex()
    private static let shownBytes = 200

    init(runtime: any Runtime) { self.runtime = runtime }

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
    func id(of name: String) async throws -> SeriesID {
        if let id = find(name) { return id }
        throw EngineError.unknownSeries(Self.shown(name), nearest: await suggestions(for: name))
    }

    private func suggestions(for name: String) async -> [String] {
        await search.withLock {
            // Searched without the lock of the content, which event loops wait for.
            let byKey = content.withLock { $0.byKey }
            let names = try? await runtime.apart {
                nearestNames(to: name, among: byKey.keys.lazy.map(\.description))
            }
            return names ?? []
        }
    }

    private static func shown(_ name: String) -> String {
        guard name.utf8.count > SeriesKey.longest else { return name }
        return String(decoding: name.utf8.prefix(shownBytes), as: UTF8.self) + "…"
    }

    /// The series with a name, which need not be in canonical form; nil if there is none.
    func find(_ name: String) -> SeriesID? {
        let key = (try? SeriesKey(parsing: name)) ?? SeriesKey(canonical: name)
        return content.withLock { $0.byKey[key] }
    }

    func key(of id: SeriesID) -> SeriesKey? { content.withLock { $0.byID[id] } }

    func count(_ selector: SeriesSelector) -> Int {
        content.withLock { $0.byKey }.keys.count { selector.matches($0) }
    }

    /// The selected series, by name.
    func matching(_ selector: SeriesSelector) -> [(id: SeriesID, key: SeriesKey)] {
        let byKey = content.withLock { $0.byKey }
        return byKey.filter { selector.matches($0.key) }.map { ($0.value, $0.key) }.sorted { $0.key < $1.key }
    }
}
