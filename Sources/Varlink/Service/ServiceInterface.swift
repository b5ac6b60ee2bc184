/// `org.varlink.service`, which every service answers (https://varlink.org/Service).
struct ServiceInterface: Sendable {
    static let name = "org.varlink.service"

    private struct Info: Encodable, Sendable {
        let vendor, product, version, url: String
        let interfaces: [String]
    }
    private struct Question: Decodable { let interface: String }

    /// The interface with its handlers.
    ///
    /// - Parameter others: the interface files of the service's other interfaces, by name.
    static func make(_ info: ServiceInfo, _ others: [String: String]) throws -> VarlinkInterface {
        let texts = others.merging([name: text]) { _, own in own }
        let reply = Info(
            vendor: info.vendor, product: info.product, version: info.version, url: info.url,
            interfaces: [name] + others.keys.filter { $0 != name }.sorted())
        return try VarlinkInterface(
            text,
            methods: [
                "GetInfo": { try await $0.reply(reply) },
                "GetInterfaceDescription": { call in
                    let name = try call.decode(Question.self).interface
                    guard let text = texts[name] else { throw VarlinkError.interfaceNotFound(name) }
                    try await call.reply(["description": text])
                },
            ])
    }

    static let text = """
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
