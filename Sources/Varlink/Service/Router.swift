/// Finds who answers a call, and checks what it brings.
struct Router: Sendable {
    private let interfaces: [String: VarlinkInterface]
    let hasQuickAnswers: Bool

    /// Longer calls bring something to be worked on, and are not looked through twice.
    private static let quickLimit = 4_096

    init(info: ServiceInfo, interfaces: [VarlinkInterface]) throws {
        let texts = interfaces.map { ($0.description.name, $0.description.text) }
        let own = try ServiceInterface.make(info, Dictionary(texts, uniquingKeysWith: { first, _ in first }))
        self.interfaces = Dictionary(
            ([own] + interfaces).map { ($0.description.name, $0) }, uniquingKeysWith: { first, _ in first })
        hasQuickAnswers = interfaces.contains { $0.hasQuickAnswers }
    }

    /// Answers one frame. A frame that is no call closes the connection: there is nobody to answer to.
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

    /// The reply to one frame, if it is a call that is answered at once; nil for everything else, mistakes too.
    func quickAnswer(_ frame: [UInt8], _ peer: Peer?) -> [UInt8]? {
        guard frame.count <= Self.quickLimit, let envelope = try? CallEnvelope(frame), !envelope.oneway,
            !envelope.upgrade, let (interface, method) = try? find(envelope.method), let quick = method.quick
        else { return nil }
        do {
            guard try interface.check.misfit(method.input, frame, at: envelope.parameters) == nil else { return nil }
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
        // No method of ours hands its connection over to another protocol.
        guard let answer = method.answer, !call.wantsUpgrade else {
            throw VarlinkError.methodNotImplemented(call.method)
        }
        if let name = try call.misfit(method, interface.check) { throw VarlinkError.invalidParameter(name) }
        try await answer(call)
    }
}
