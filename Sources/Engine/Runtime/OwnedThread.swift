import Glibc

/// A thread that runs one function and can be joined.
///
/// `@unchecked Sendable`: immutable after `init`; the handle is only joined, once, by the engine's stop.
final class OwnedThread: RunningWorker, @unchecked Sendable {
    private let handle: pthread_t

    /// Starts a thread that runs `body`.
    ///
    /// - Parameters:
    ///   - name: the name that tools show; the system keeps the first 15 bytes.
    ///   - niceness: added to the process' own: when both want the processor, a thread with 10 gets a tenth of the time
    ///     of one with 0, a thread with 5 a third.
    init(name: String, niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void) throws(EngineError) {
        let box = Unmanaged.passRetained(Body(name: name, niceness: niceness, run: body))
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

    func join() { pthread_join(handle, nil) }

    private final class Body: Sendable {
        let name: String
        let niceness: Int32
        let run: @Sendable () -> Void
        init(name: String, niceness: Int32, run: @escaping @Sendable () -> Void) {
            (self.name, self.niceness, self.run) = (name, niceness, run)
        }

        func start() {
            nameThread()
            // On Linux niceness is per thread. A failure is harmless: it only costs speed.
            let me = __priority_which_t(PRIO_PROCESS.rawValue)
            if niceness > 0 { setpriority(me, 0, getpriority(me, 0) + niceness) }
            run()
        }

        /// Uses /proc because Swift does not import the C library's function; a failure is harmless.
        private func nameThread() {
            let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { return }
            _ = write(file, name, name.utf8.count)
            close(file)
        }
    }
}
