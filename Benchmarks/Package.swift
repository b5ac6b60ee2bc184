// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the main build stays light.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "nilometer", path: "..")],
    targets: [
        .executableTarget(
            name: "LineProtocolBenchmark", dependencies: [.product(name: "LineProtocol", package: "nilometer")],
            path: "LineProtocolBenchmark", swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
