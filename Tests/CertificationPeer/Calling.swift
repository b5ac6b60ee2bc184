import Varlink

/// Takes the steps of org.varlink.certification as a client: each one gets what the one before answered.
struct CertifiedClient {
    private let client: VarlinkClient
    private let id: ClientID

    init(_ path: String) throws {
        client = try VarlinkClient(path: path)
        id = try client.call("\(certification).Start")
    }

    func run() throws {
        let bool: OneBool = try call("Test01", Nothing())
        let int: OneInt = try call("Test02", bool)
        let float: OneFloat = try call("Test03", int)
        let string: OneString = try call("Test04", float)
        let four: Four = try call("Test05", string)
        let structure: OneStruct = try call("Test06", four)
        let map: OneMap = try call("Test07", structure)
        let set: OneSet = try call("Test08", map)
        let mine: OneMyType = try call("Test09", set)
        var replies = AllReplies(last_more_replies: [])
        try client.stream(
            "\(certification).Test10", Step(client: id, values: mine), as: OneString.self
        ) { reply in
            replies.last_more_replies.append(reply.string)
            return true
        }
        try client.oneway("\(certification).Test11", Step(client: id, values: replies))
        let end: AllOK = try call("End", Nothing())
        print(end.all_ok && replies == AllReplies() ? "Certification passed" : "Certification failed: \(replies)")
    }

    private func call<Reply: Decodable>(_ method: String, _ values: some Encodable) throws -> Reply {
        try client.call("\(certification).\(method)", Step(client: id, values: values))
    }
}
