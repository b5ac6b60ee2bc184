import Logging
import ServiceLifecycle

/// One part of the daemon that runs from its start to its stop.
struct DaemonService: Service {
    private let body: @Sendable () async throws -> Void

    /// - Parameter body: returns when a graceful shutdown has come.
    init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }

    /// Something that is cancelled when the daemon stops.
    static func cancelled(_ body: @escaping @Sendable () async throws -> Void) -> DaemonService {
        DaemonService { try await cancelWhenGracefulShutdown(body) }
    }

    /// Something that is running already and has to be stopped.
    static func stopping(_ stop: @escaping @Sendable () async throws -> Void) -> DaemonService {
        DaemonService {
            try? await gracefulShutdown()
            try await stop()
        }
    }

    func run() async throws {
        do { try await body() } catch is CancellationError {}
    }

    /// Runs all of them until one ends or fails, then stops the others, the last one first.
    ///
    /// - Throws: the first error.
    static func run(_ services: [DaemonService]) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    .init(
                        service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                }, logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        try await group.run()
    }
}
