import Varlink

// The messages of org.varlink.certification: what one step answers, the next one asks with.

struct Nothing: Codable, Hashable {}

struct OneBool: Codable, Hashable { var bool = true }
struct OneInt: Codable, Hashable { var int = 1 }
struct OneFloat: Codable, Hashable { var float = 1.0 }
struct OneString: Codable, Hashable { var string = "ping" }

struct Four: Codable, Hashable {
    var bool = false
    var int = 2
    var float = Double.pi
    var string = "a lot of string"
}

struct OneStruct: Codable, Hashable { var `struct` = Four() }
struct OneMap: Codable, Hashable { var map = ["foo": "Foo", "bar": "Bar"] }
struct OneSet: Codable, Hashable { var set = ["one": Nothing(), "two": Nothing(), "three": Nothing()] }

struct MyType: Codable, Hashable {
    enum Choice: String, Codable { case one, two, three }
    enum Word: String, Codable { case foo, bar, baz }
    struct Pair: Codable, Hashable {
        var first = 1
        var second = "2"
    }
    struct Anonymous: Codable, Hashable {
        var foo = true
        var bar = false
    }
    struct Interface: Codable, Hashable {
        var foo: [[String: Word]?]? = [nil, ["foo": .foo, "bar": .bar], nil, ["one": .foo, "two": .bar]]
        var anon = Anonymous()
    }

    var object = JSONValue.object([
        "method": .string("org.varlink.certification.Test09"),
        "parameters": .object(["map": .object(["foo": .string("Foo"), "bar": .string("Bar")])]),
    ])
    var `enum` = Choice.two
    var `struct` = Pair()
    var array = ["one", "two", "three"]
    var dictionary = ["foo": "Foo", "bar": "Bar"]
    var stringset = ["one": Nothing(), "two": Nothing(), "three": Nothing()]
    var nullable: String?
    var nullable_array_struct: [Pair]?
    var interface = Interface()
}

struct OneMyType: Codable, Hashable { var mytype = MyType() }
struct AllReplies: Codable, Hashable { var last_more_replies = (1...10).map { "Reply number \($0)" } }
struct AllOK: Codable, Hashable { var all_ok = true }
struct ClientID: Codable, Hashable { var client_id: String }

/// The parameters of a step: the client's id beside what the step before answered.
struct Step<Values: Encodable>: Encodable {
    var client: ClientID
    var values: Values

    func encode(to encoder: any Encoder) throws {
        try client.encode(to: encoder)
        try values.encode(to: encoder)
    }
}

let certification = "org.varlink.certification"
