// swift-tools-version: 6.2
import PackageDescription

// `make planted` builds with the defects that the simulator has to find compiled in, each behind a switch.
let isPlanted = Context.environment["NILOMETER_PLANTED"] == "1"

let strict: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (isPlanted ? [.define("SIMULATION")] : [])

func test(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: strict)
}

let nio: Target.Dependency = .product(name: "NIO", package: "swift-nio")

let package = Package(
    name: "nilometer",
    products: [
        .library(name: "Recurrent", targets: ["Recurrent"]),
        .library(name: "Varlink", targets: ["Varlink"]),
        .library(name: "LineProtocol", targets: ["LineProtocol"]),
        .library(
            name: "Engine",
            targets: [
                "Engine", "Storage", "Forecasting", "TimeSeries", "LSTMForecaster", "LinearARForecaster",
                "HoltWintersForecaster", "SeasonalNaiveForecaster",
            ]),
        .library(
            name: "Forecasters", targets: ["Forecasting", "TimeSeries", "LSTMForecaster", "LinearARForecaster"]),
        .library(name: "PluginHost", targets: ["PluginHost"]),
        .executable(name: "nilod", targets: ["nilod"]),
        .executable(name: "niloctl", targets: ["niloctl"]),
    ],
    // Exact versions, because Package.resolved is not in the repository: a clone builds next year what it builds today.
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
        // Only for `make docs`; no target depends on it.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0"),
    ],
    targets: [
        // What every target may use: a lock, a helper or two.
        .target(name: "Basics", swiftSettings: strict),

        // Vocabulary and numerics: no input or output.
        .target(name: "TimeSeries", swiftSettings: strict),
        .target(name: "CRecurrentKernels"),
        .target(name: "Recurrent", dependencies: ["CRecurrentKernels"], swiftSettings: strict),
        .target(
            name: "SelfTest", dependencies: ["Recurrent"], resources: [.embedInCode("keras_lstm.json")],
            swiftSettings: strict),
        .target(
            name: "Forecasting", dependencies: ["Basics", "TimeSeries", "CRecurrentKernels"], swiftSettings: strict),

        // Forecasting methods, one folder each.
        .target(
            name: "LinearARForecaster", dependencies: ["Forecasting", "TimeSeries", "Recurrent"],
            path: "Plugins/LinearAR", exclude: ["README.md", "sample.toml"], sources: ["Sources"],
            swiftSettings: strict),
        .target(
            name: "LSTMForecaster",
            dependencies: [
                "Basics", "Forecasting", "TimeSeries", "Recurrent", "CRecurrentKernels", "LinearARForecaster",
            ],
            path: "Plugins/LSTM", exclude: ["README.md", "sample.toml"], sources: ["Sources"], swiftSettings: strict),
        .target(
            name: "SeasonalNaiveForecaster", dependencies: ["Forecasting", "TimeSeries"],
            path: "Plugins/SeasonalNaive", exclude: ["README.md", "sample.toml"], sources: ["Sources"],
            swiftSettings: strict),
        .target(
            name: "HoltWintersForecaster", dependencies: ["Forecasting", "TimeSeries"],
            path: "Plugins/HoltWinters", exclude: ["README.md", "sample.toml"], sources: ["Sources"],
            swiftSettings: strict),

        // Formats, storage and wires.
        .target(name: "LineProtocol", dependencies: ["TimeSeries"], swiftSettings: strict),
        .target(
            name: "Storage", dependencies: ["Basics", "TimeSeries", .product(name: "GRDB", package: "GRDB.swift")],
            resources: [.embedInCode("migrations")], swiftSettings: strict),
        .target(name: "Listening", dependencies: ["Basics", nio], swiftSettings: strict),
        .target(name: "Varlink", dependencies: ["Basics", "Listening", nio], swiftSettings: strict),
        .target(
            name: "ControlInterface", dependencies: ["TimeSeries", "Varlink"],
            resources: [.embedInCode("interfaces")], swiftSettings: strict),

        // The daemon's own machinery.
        .target(name: "CMemory"),
        .target(
            name: "Engine",
            dependencies: [
                "Basics", "TimeSeries", "Forecasting", "Storage", "CMemory",
                .product(name: "DequeModule", package: "swift-collections"),
            ], swiftSettings: strict),
        .target(
            name: "Backtesting",
            dependencies: ["Basics", "TimeSeries", "Forecasting", "LineProtocol", "Storage", "Engine"],
            swiftSettings: strict),
        .target(name: "CInflate", linkerSettings: [.linkedLibrary("z")]),
        .target(
            name: "Feeding",
            dependencies: [
                "Basics", "CInflate", "TimeSeries", "LineProtocol", "Listening", nio,
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: strict),
        .target(name: "CLauncher"),
        .target(name: "CInvocation"),
        .target(name: "Invocation", dependencies: ["CInvocation", "TimeSeries"], swiftSettings: strict),
        .target(
            name: "PluginHost",
            dependencies: ["Basics", "CLauncher", "ControlInterface", "Forecasting", "TimeSeries", "Varlink"],
            swiftSettings: strict),
        .executableTarget(
            name: "nilod",
            dependencies: [
                "Basics", "TimeSeries", "Forecasting", "LSTMForecaster", "LinearARForecaster",
                "SeasonalNaiveForecaster", "HoltWintersForecaster", "LineProtocol", "Storage", "Varlink",
                "ControlInterface", "Engine",
                "Backtesting", "Feeding", "Listening", "PluginHost", "CLauncher", "CMemory", "Invocation", "Recurrent",
                "SelfTest",
                nio,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "TOMLKit", package: "TOMLKit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "niloctl",
            dependencies: [
                "Basics", "TimeSeries", "LineProtocol", "ControlInterface", "Invocation", "Varlink",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),

        // Here and not in Benchmarks/Package.swift, because it looks at the inside of a library; not shipped.
        .executableTarget(
            name: "JSONBenchmark", dependencies: ["Varlink"], path: "Benchmarks/JSONBenchmark", swiftSettings: strict),

        // Runs the engine in one thread, on a disk and a clock of its own, against a model; not shipped.
        .target(name: "CTaskHooks"),
        .target(name: "CSimulatedDisk", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(
            name: "Simulation",
            dependencies: [
                "Basics", "CSimulatedDisk", "CTaskHooks", "Engine", "Feeding", "Forecasting", "Storage", "TimeSeries",
                "LSTMForecaster", "HoltWintersForecaster", "SeasonalNaiveForecaster",
                .product(name: "GRDB", package: "GRDB.swift"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "nilosim",
            dependencies: ["Basics", "Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict),

        // Writes the manual pages; not shipped.
        .executableTarget(name: "ManualPages", path: "packaging/ManualPages", swiftSettings: strict),

        .target(
            name: "TestSupport",
            dependencies: [
                "ControlInterface", "Engine", "TimeSeries", "Varlink", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Tests/TestSupport", swiftSettings: strict),
        test("ArchitectureTests", []),
        test("BasicsTests", ["Basics", "TestSupport"]),
        test("ListeningTests", ["Listening", "TestSupport"]),
        test("VarlinkTests", ["Varlink", "Listening", "CertificationPeer", "TestSupport"]),
        test(
            "ControlInterfaceTests",
            ["CertificationPeer", "ControlInterface", "TestSupport", "Varlink", "nilod", "niloctl"]),
        // Passes the certification of Varlink's Python library from both sides; not shipped.
        .executableTarget(
            name: "CertificationPeer", dependencies: ["Varlink"], path: "Tests/CertificationPeer",
            swiftSettings: strict),
        test("TimeSeriesTests", ["TestSupport", "TimeSeries"]),
        test("StorageTests", ["Storage", "TestSupport", "TimeSeries"]),
        test("CommandTests", ["ControlInterface", "TestSupport", "ManualPages", "nilod", "niloctl"]),
        test(
            "EngineTests",
            [
                "Basics", "Engine", "Forecasting", "Storage", "TestSupport", "TimeSeries", "LSTMForecaster",
                "SeasonalNaiveForecaster", "HoltWintersForecaster",
            ]),
        test(
            "GuaranteeTests",
            [
                "ControlInterface", "FaultyPlugin", "Storage", "TestSupport", "TimeSeries", "Varlink", "nilod",
                "niloctl",
            ],
            exclude: ["Recorder"]),
        // A plugin that does what plugins may not; not shipped.
        .executableTarget(
            name: "FaultyPlugin", dependencies: ["Forecasting", "PluginHost"], path: "Tests/FaultyPlugin",
            swiftSettings: strict),
        test(
            "PluginHostTests",
            [
                "ControlInterface", "Forecasting", "LSTMForecaster", "PluginHost", "SeasonalNaiveForecaster",
                "TestSupport", "TimeSeries", "nilod", "niloctl",
            ]),
        test("SimulationTests", ["TestSupport", "nilod", "nilosim"]),
        test("LineProtocolTests", ["LineProtocol", "TestSupport", "TimeSeries"]),
        test(
            "FeedingTests",
            ["Feeding", "LineProtocol", "Listening", "TestSupport", "TimeSeries", "nilod", "niloctl", nio]),
        test("RecurrentTests", ["Recurrent", "SelfTest"], exclude: ["Fixtures"]),
        test(
            "ForecastingTests",
            [
                "Forecasting", "TimeSeries", "LSTMForecaster", "LinearARForecaster", "SeasonalNaiveForecaster",
                "HoltWintersForecaster", "Recurrent", "TestSupport",
            ]),
    ]
)
