import Glibc

/// A thread that runs one function and can be waited for.
///
/// `@unchecked Sendable`: immutable after `init`; the handle is only joined, once, by the engine's stop.
final class OwnedThread: @unchecked Sendable {
    private let handle: pthread_t

    /// Starts a thread that runs `body`.
    ///
    /// - Parameter name: for the error, should it not start.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws(EngineError) {
        let box = Unmanaged.passRetained(Body(run: body))
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { raw in
                guard let raw else { return nil }
                let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
                body.run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw .threadFailed(name: name, code: code)
        }
        self.handle = handle
    }

    /// Waits until the function has returned.
    func join() { pthread_join(handle, nil) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}
