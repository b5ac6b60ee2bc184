import Foundation
import Testing

/// The arrows of the README's table of targets: who may import whom.
@Suite struct ImportTests {
    /// Modules of this package and packages that only one target may see. The system's modules are free.
    static let allowed: [String: Set<String>] = [
        "Sources/Basics": [],
        "Sources/TimeSeries": [],
        "Sources/Recurrent": ["CRecurrentKernels"],
        "Sources/SelfTest": ["Recurrent"],
        "Sources/Forecasting": ["Basics", "TimeSeries", "CRecurrentKernels"],
        "Plugins/LSTM": [
            "Basics", "Forecasting", "TimeSeries", "Recurrent", "CRecurrentKernels", "LinearARForecaster",
        ],
        "Plugins/LinearAR": ["Forecasting", "TimeSeries", "Recurrent"],
        "Plugins/HoltWinters": ["Forecasting", "TimeSeries"],
        "Plugins/SeasonalNaive": ["Forecasting", "TimeSeries"],
        "Sources/LineProtocol": ["TimeSeries"],
        "Sources/Storage": ["Basics", "TimeSeries", "GRDB"],
        "Sources/Listening": ["Basics", "NIOCore"],
        "Sources/Varlink": ["Basics", "Listening", "NIOCore", "NIOPosix"],
        "Sources/ControlInterface": ["TimeSeries", "Varlink"],
        "Sources/Engine": ["Basics", "CMemory", "DequeModule", "TimeSeries", "Forecasting", "Storage"],
        "Sources/Backtesting": ["Basics", "TimeSeries", "Forecasting", "LineProtocol", "Storage", "Engine"],
        "Sources/Feeding": [
            "Basics", "CInflate", "TimeSeries", "LineProtocol", "Listening", "NIOCore", "NIOPosix", "NIOHTTP1",
        ],
        "Sources/PluginHost": ["Basics", "CLauncher", "ControlInterface", "Forecasting", "TimeSeries", "Varlink"],
        "Sources/Invocation": ["CInvocation", "TimeSeries"],
        "Sources/nilod": [
            "ArgumentParser", "Backtesting", "Basics", "CLauncher", "CMemory", "ControlInterface", "Engine",
            "Feeding",
            "Forecasting", "HoltWintersForecaster", "Invocation", "LSTMForecaster", "LineProtocol",
            "LinearARForecaster", "Listening", "Logging", "PluginHost", "Recurrent",
            "SeasonalNaiveForecaster", "SelfTest", "ServiceLifecycle", "Storage", "TOMLKit", "TimeSeries", "Varlink",
        ],
        "Sources/Simulation": [
            "Basics", "CSimulatedDisk", "CTaskHooks", "Engine", "Feeding", "Forecasting", "GRDB",
            "HoltWintersForecaster",
            "LSTMForecaster", "SeasonalNaiveForecaster", "Storage", "TimeSeries",
        ],
        "Sources/nilosim": ["ArgumentParser", "Basics", "Simulation"],
        "Sources/niloctl": [
            "Basics", "ArgumentParser", "ControlInterface", "Invocation", "LineProtocol", "TimeSeries", "Varlink",
        ],
    ]
    static let system: Set<String> = [
        "Glibc", "Foundation", "FoundationEssentials", "Synchronization", "Dispatch", "System", "SystemPackage",
    ]
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test(arguments: allowed.keys.sorted()) func importsOnlyWhatIsListed(target: String) throws {
        let allowed = try #require(Self.allowed[target]).union(Self.system)
        let files = try Self.swiftFiles(under: target)
        #expect(!files.isEmpty)
        for file in files {
            let imported = try Self.imports(of: file)
            #expect(
                imported.isSubset(of: allowed), "\(file.lastPathComponent): \(imported.subtracting(allowed).sorted())")
        }
    }

    @Test func everyTargetIsListed() throws {
        let folders = try ["Sources", "Plugins"].flatMap { parent in
            try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: parent).path)
                .map { "\(parent)/\($0)" }
        }
        let withSwift = try folders.filter { !(try Self.swiftFiles(under: $0).isEmpty) }
        #expect(Set(withSwift) == Set(Self.allowed.keys))
    }

    private static func swiftFiles(under path: String) throws -> [URL] {
        let found = FileManager.default.enumerator(at: root.appending(path: path), includingPropertiesForKeys: nil)
        return (found?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
    }

    private static func imports(of file: URL) throws -> Set<String> {
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        return Set(
            lines.compactMap { line in
                var words = line.split(separator: " ")[...]
                while let first = words.first, ["public", "package", "internal", "@testable"].contains(first) {
                    words = words.dropFirst()
                }
                return words.first == "import" ? words.dropFirst().first.map(String.init) : nil
            })
    }
}
