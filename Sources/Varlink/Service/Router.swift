import Basics

/// Finds the handler of a call and checks its parameters.
struct Router: Sendable {
    private let interfaces: [String: VarlinkInterface]
    let hasQuickAnswers: Bool

    /// In bytes. Longer calls carry data to be processed and are not parsed twice.
    private static let quickLimit = 4_096

    init(info: ServiceInfo, interfaces: [VarlinkInterface]) throws {
        let texts = interfaces.map { ($0.description.name, $0.description.text) }
        let own = try ServiceInterface.make(info, Dictionary(keepingFirst: texts))
        self.interfaces = Dictionary(
            keepingFirst: ([own] + interfaces).map { ($0.description.name, $0) })
        hasQuickAnswers = interfaces.contains { $0.hasQuickAnswers }
    }

    /// Answers one frame.
    ///
    /// - Throws: ``ConnectionError`` if the frame is not a call, which closes the connection because there is nobody to
    ///   answer; the errors of `write`.
    func answer(
        _ frame: [UInt8], _ peer: Peer?, write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let call = VarlinkCall(try CallEnvelope(frame), peer: peer, send: write)
        do {
            try await dispatch(call)
        } catch let error as VarlinkError {
            guard !call.isOneway else { return }
            try await write(ReplyEnvelope.encode(error))
        }
    }

    /// The reply to one frame if it is a call that is answered on the event loop; nil for all others, including bad
    /// calls.
    func quickAnswer(_ frame: [UInt8], _ peer: Peer?) -> [UInt8]? {
        guard frame.count <= Self.quickLimit, let envelope = try? CallEnvelope(frame), !envelope.oneway,
            !envelope.upgrade, let (interface, method) = try? find(envelope.method), let quick = method.quick
        else { return nil }
        do {
            guard try interface.check.firstMismatch(method.input, frame, at: envelope.parameters) == nil else {
                return nil
            }
        } catch {
            return nil
        }
        return quick(QuickCall(envelope, peer: peer)).map { ReplyEnvelope.encode($0) }
    }

    private func find(_ qualified: String) throws(VarlinkError) -> (VarlinkInterface, VarlinkInterface.Method) {
        guard let dot = qualified.lastIndex(of: ".") else { throw VarlinkError.interfaceNotFound(qualified) }
        let name = String(qualified[..<dot])
        guard let interface = interfaces[name] else { throw VarlinkError.interfaceNotFound(name) }
        guard let method = interface.method(String(qualified[qualified.index(after: dot)...])) else {
            throw VarlinkError.methodNotFound(qualified)
        }
        return (interface, method)
    }

    private func dispatch(_ call: VarlinkCall) async throws {
        let (interface, method) = try find(call.method)
        // None of our methods switches its connection to another protocol.
        guard let answer = method.answer, !call.wantsUpgrade else {
            throw VarlinkError.methodNotImplemented(call.method)
        }
        if let name = try call.firstMismatch(method, interface.check) { throw VarlinkError.invalidParameter(name) }
        try await answer(call)
    }
}
