import Glibc

/// A thread that runs one function and can be waited for.
///
/// `@unchecked Sendable`: immutable after `init`; the handle is only joined, once, by the engine's stop.
final class OwnedThread: @unchecked Sendable {
    private let handle: pthread_t

    /// Starts a thread that runs `body`.
    ///
    /// - Parameter name: what tools that show threads call it; the system keeps the first 15 bytes.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws(EngineError) {
        let box = Unmanaged.passRetained(Body(name: name, run: body))
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { raw in
                guard let raw else { return nil }
                let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
                body.start()
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
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            (self.name, self.run) = (name, run)
        }

        func start() {
            nameThread()
            run()
        }

        /// Through /proc, because Swift cannot see what the C library has for it. A thread without a name works as well.
        private func nameThread() {
            let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { return }
            _ = write(file, name, name.utf8.count)
            close(file)
        }
    }
}
