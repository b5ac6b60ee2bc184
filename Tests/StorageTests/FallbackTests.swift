import Foundation
import Storage
import TestSupport
import Testing
import TimeSeries

@Suite("Fallback models")
struct FallbackTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("nilo.db") }

    init() throws { folder = try TemporaryFolder() }

    /// The database of a nilod that kept stand-ins in the reason's text.
    private func makeOlderDatabase() throws {
        let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "migrations")
        let names = try FileManager.default.contentsOfDirectory(atPath: scripts.path).sorted()
            .prefix { !$0.hasSuffix("_stand_ins.sql") }
        let old = Sabotage(path)
        for name in names { try old.run(String(contentsOf: scripts.appending(path: name), encoding: .utf8)) }
        try old.run(
            """
            PRAGMA application_id = \(0x4E69_6C6F);
            PRAGMA user_version = \(names.count);
            INSERT INTO series (id, key, aggregate, created_at) VALUES (1, 'a v', 'mean', 0);
            INSERT INTO model_version (id, forecaster, number, method, method_version, parameters, created_at, metrics,
                crc32c, weights) VALUES
                (5, 'other', 12, 'm', '1', '{}', 0, '{}', 0, x''), (6, 'rooms', 11, 'm', '1', '{}', 0, '{}', 0, x''),
                (7, 'rooms', 12, 'm', '1', '{}', 0, '{}', 0, x''), (8, 'rooms', 13, 'm', '1', '{}', 0, '{}', 0, x'');
            INSERT INTO epoch (series, version, warm_up, position, reason, created_at) VALUES
                (1, 8, 0, 0, 'new series, in place of theil-sen', 0),
                (1, 8, 0, 0, 'version 12 cannot be loaded, in place of version 12', 0),
                (1, 8, 0, 0, 'promoted by hand', 0);
            """)
    }

    @Test("those of earlier databases are found in the reason's text and get columns of their own")
    func migrated() throws {
        try makeOlderDatabase()
        let store = try Store(path: path)
        let epochs = try store.epochs(of: SeriesID(1)).reversed()
        #expect(epochs.map(\.fallbackFor) == [.method("theil-sen"), .version(7), nil])
        #expect(epochs.map(\.reason) == ["new series", "version 12 cannot be loaded", "promoted by hand"])
        try store.close()
    }

    @Test("they are stored and read back")
    func stored() throws {
        let store = try Store(path: path)
        let all: [MissingModel?] = [.method("theil-sen"), .version(7), nil]
        try store.write { transaction in
            let series = try transaction.insertSeries(
                key: SeriesKey(measurement: "a", field: "v"), aggregate: .mean, forecaster: nil,
                createdAt: .from(seconds: 1))
            let version = try transaction.insertModelVersion(
                NewModelVersion(
                    forecaster: "rooms", method: "m", methodVersion: "1", parameters: "{}", parent: nil,
                    createdAt: .from(seconds: 1), windowStart: nil, windowEnd: nil, metrics: "{}", weights: []))
            for missingModel in all {
                let epoch = NewEpoch(
                    series: series, version: version.id, fromSlot: nil, warmUp: 0, position: 0, reason: "new series",
                    fallbackFor: missingModel, createdAt: .from(seconds: 1))
                #expect(try transaction.insertEpoch(epoch).fallbackFor == missingModel)
            }
        }
        #expect(try store.epochs(of: SeriesID(1)).map(\.fallbackFor) == all.reversed())
        try store.close()
    }
}
