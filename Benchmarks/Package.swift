// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the main build stays light.
let package = Package(
    name: "nilometer-benchmarks",
    dependencies: [.package(name: "nilometer", path: "..")],
    targets: [
        .executableTarget(
            name: "recurrent-bench", dependencies: [.product(name: "Recurrent", package: "nilometer")],
            path: "Recurrent", exclude: ["run.sh"], swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
