// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A package of its own, so that the main build stays light. One folder a benchmark.
func benchmark(_ name: String, _ products: String...) -> Target {
    .executableTarget(
        name: name, dependencies: products.map { .product(name: $0, package: "nilometer") }, path: name,
        swiftSettings: strict)
}

let package = Package(
    name: "nilometer-benchmarks",
    dependencies: [.package(name: "nilometer", path: "..")],
    targets: [
        benchmark("LineProtocolBenchmark", "LineProtocol"),
        benchmark("VarlinkBenchmark", "Varlink"),
        .executableTarget(
            name: "PluginBenchmark",
            dependencies: [
                .product(name: "Engine", package: "nilometer"), .product(name: "PluginHost", package: "nilometer"),
            ], path: "PluginBenchmark", exclude: ["python-last-value"], swiftSettings: strict),
        .executableTarget(
            name: "recurrent-bench", dependencies: [.product(name: "Recurrent", package: "nilometer")],
            path: "Recurrent", exclude: ["run.sh"], swiftSettings: strict),
        benchmark("AccuracyBenchmark", "Forecasters"),
        benchmark("IngestBenchmark", "Engine", "Varlink", "nilod"),
    ]
)
