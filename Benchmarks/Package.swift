// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "nilometer-benchmarks",
    dependencies: [.package(name: "nilometer", path: "..")],
    targets: [
        .executableTarget(
            name: "VarlinkBenchmark", dependencies: [.product(name: "Varlink", package: "nilometer")],
            path: "VarlinkBenchmark", swiftSettings: strict)
    ]
)
