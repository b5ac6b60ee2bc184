internal import NIOCore

/// Finds who answers a call; answers `org.varlink.service` itself.
struct Router: Sendable {
    private let info: ServiceInfo
    private let interfaces: [String: VarlinkInterface]
    private static let ownName = "org.varlink.service"

    init(info: ServiceInfo, interfaces: [VarlinkInterface]) {
        self.info = info
        self.interfaces = Dictionary(interfaces.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Answers one frame. A frame that is no call closes the connection: there is nobody to answer to.
    func answer(_ frame: [UInt8], _ outbound: NIOAsyncChannelOutboundWriter<[UInt8]>, _ peer: Peer?) async throws {
        guard let message = try? Wire.decode(CallMessage.self, frame) else {
            throw ConnectionError.malformed("expected {\"method\": …}")
        }
        let call = VarlinkCall(
            method: message.method, parameters: message.parameters ?? .object([:]), wantsMore: message.more ?? false,
            isOneway: message.oneway ?? false, peer: peer
        ) { try await outbound.write(Wire.encode($0)) }
        do {
            try await dispatch(call)
        } catch let error as VarlinkError {
            guard !call.isOneway else { return }
            try await call.send(
                ReplyMessage(parameters: .object(error.parameters), continues: nil, error: error.name))
        }
    }

    private func dispatch(_ call: VarlinkCall) async throws {
        guard let dot = call.method.lastIndex(of: ".") else { throw VarlinkError.interfaceNotFound(call.method) }
        let interface = String(call.method[..<dot])
        let method = String(call.method[call.method.index(after: dot)...])
        if interface == Self.ownName { return try await serveOwn(method, call) }
        guard let found = interfaces[interface] else { throw VarlinkError.interfaceNotFound(interface) }
        guard let answer = found.methods[method] else { throw VarlinkError.methodNotFound(call.method) }
        try await answer(call)
    }

    private func serveOwn(_ method: String, _ call: VarlinkCall) async throws {
        switch method {
        case "GetInfo":
            struct Reply: Encodable, Sendable {
                let vendor, product, version, url: String
                let interfaces: [String]
            }
            try await call.reply(
                Reply(
                    vendor: info.vendor, product: info.product, version: info.version, url: info.url,
                    interfaces: [Self.ownName] + interfaces.keys.sorted()))
        case "GetInterfaceDescription":
            struct Question: Decodable { let interface: String }
            let name = try call.decode(Question.self).interface
            guard let text = name == Self.ownName ? Self.ownDescription : interfaces[name]?.description else {
                throw VarlinkError.interfaceNotFound(name)
            }
            try await call.reply(["description": text])
        default: throw VarlinkError.methodNotFound(call.method)
        }
    }

    /// https://varlink.org/Service
    private static let ownDescription = """
        # The Varlink Service Interface is provided by every varlink service. It
        # describes the service and the interfaces it implements.
        interface org.varlink.service

        # Get a list of all the interfaces a service provides and information
        # about the implementation.
        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        # Get the description of an interface that is implemented by this service.
        method GetInterfaceDescription(interface: string) -> (description: string)

        # The requested interface was not found.
        error InterfaceNotFound (interface: string)

        # The requested method was not found
        error MethodNotFound (method: string)

        # The interface defines the requested method, but the service does not
        # implement it.
        error MethodNotImplemented (method: string)

        # One of the passed parameters is invalid.
        error InvalidParameter (parameter: string)

        # Client is denied access
        error PermissionDenied ()

        # Method is expected to be called with 'more' set to true, but wasn't
        error ExpectedMore ()

        """
}
