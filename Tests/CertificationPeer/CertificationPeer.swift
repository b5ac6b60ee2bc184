/// `CertificationPeer serve PATH` answers Varlink's certification on a Unix socket, `CertificationPeer call PATH` takes
/// it.
@main
enum CertificationPeer {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let verb = arguments.first, let path = arguments.dropFirst().first else {
            fatalError("usage: CertificationPeer serve|call PATH")
        }
        if verb == "serve" { try await CertifyingService().run(path) } else { try CertifiedClient(path).run() }
    }
}
