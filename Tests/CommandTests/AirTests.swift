import Foundation
import TestSupport
import Testing

@Suite("Real gaps")
struct AirTests {
    /// Beijing's PM2.5 by the hour misses 740 of its 10,000 hours in 71 gaps, the longest four days. The data are not ours
    /// to keep: NILOMETER_AIR names the file, with the temperature beside it.
    @Test("over the air's real gaps every forecast is whole, better than the naive one, and as sure as it says")
    func air() throws {
        guard let file = ProcessInfo.processInfo.environment["NILOMETER_AIR"] else {
            return skip("NILOMETER_AIR names no air.csv")
        }
        let folder = try TemporaryFolder()
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = try ChildProcess(
            "nilod",
            [
                "backtest", "--config", root.appending(path: "Benchmarks/accuracy/stream-1.toml").path, "--forecaster",
                "mix", "--data", file, "--warm", "8000", "--end", "10000", "--stride", "23", "--horizon", "24",
                "--season", "24", "--out", folder.path("out.csv"),
            ])
        #expect(process.wait() == 0, "\(process.standardError)")
        var origins: Set<Substring> = []
        for line in try String(contentsOfFile: folder.path("out.csv"), encoding: .utf8).split(separator: "\n")
            .dropFirst()
        {
            let columns = line.split(separator: ",")
            let values = columns.dropFirst(3).map { Float($0) ?? .nan }
            #expect(values.allSatisfy(\.isFinite) && values == values.sorted(), "\(line)")
            origins.insert(columns[1])
        }
        #expect(origins.count == 86)
        for row in process.standardOutput.split(separator: "\n").dropFirst().prefix(3) {
            let numbers = row.split(separator: " ").suffix(4).compactMap { Double($0) }
            try #require(numbers.count == 4, "\(row)")
            #expect(numbers[0] < 0.9 && numbers[1] < 0.9, "\(row)")
            #expect((0.76...0.84).contains(numbers[2]) && (0.92...0.975).contains(numbers[3]), "\(row)")
        }
    }
}
