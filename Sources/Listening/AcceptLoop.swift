package import NIOCore

extension NIOAsyncChannel where Inbound: Sendable, Outbound == Never {
    /// Serves every connection that this listening channel accepts, each in a task of its own, until the calling task is
    /// cancelled.
    ///
    /// On cancellation the socket closes first, and the connections that it has accepted by then are still handed over, to
    /// tasks that are cancelled from the start.
    ///
    /// - Parameter admit: called for one connection after the other; returns what serves it, nil if it is refused and
    ///   closed.
    package func serveConnections(
        _ admit: @escaping @Sendable (Inbound) async -> (@Sendable () async -> Void)?
    ) async throws {
        let accepting = Task {
            try await executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        if let serve = await admit(connection) { group.addTask { await serve() } }
                    }
                    group.cancelAll()
                }
            }
        }
        try await withTaskCancellationHandler {
            try await accepting.value
        } onCancel: {
            channel.close(promise: nil)
        }
    }
}
