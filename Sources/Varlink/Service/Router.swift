/// Finds who answers a call, and checks what it brings.
struct Router: Sendable {
    private let interfaces: [String: VarlinkInterface]

    init(info: ServiceInfo, interfaces: [VarlinkInterface]) throws {
        let texts = interfaces.map { ($0.description.name, $0.description.text) }
        let own = try ServiceInterface.make(info, Dictionary(texts, uniquingKeysWith: { first, _ in first }))
        self.interfaces = Dictionary(
            ([own] + interfaces).map { ($0.description.name, $0) }, uniquingKeysWith: { first, _ in first })
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

    private func dispatch(_ call: VarlinkCall) async throws {
        guard let dot = call.method.lastIndex(of: ".") else { throw VarlinkError.interfaceNotFound(call.method) }
        let name = String(call.method[..<dot])
        guard let interface = interfaces[name] else { throw VarlinkError.interfaceNotFound(name) }
        guard let method = interface.method(String(call.method[call.method.index(after: dot)...])) else {
            throw VarlinkError.methodNotFound(call.method)
        }
        // No method of ours hands its connection over to another protocol.
        guard let answer = method.answer, !call.wantsUpgrade else {
            throw VarlinkError.methodNotImplemented(call.method)
        }
        if let name = try call.misfit(method.input, interface.check) { throw VarlinkError.invalidParameter(name) }
        try await answer(call)
    }
}
