// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the main build stays light.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "nilometer", path: "..")],
    targets: [
        .executableTarget(
            name: "IngestBenchmark",
            dependencies: [
                .product(name: "Engine", package: "nilometer"), .product(name: "Varlink", package: "nilometer"),
                .product(name: "nilod", package: "nilometer"),
            ],
            path: "IngestBenchmark", swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
