/// Checks what the grammar does not cover: names are unique and defined, and every type has a finite value.
struct InterfaceCheck {
    private let interface: InterfaceDescription

    init(_ interface: InterfaceDescription) { self.interface = interface }

    func run() throws {
        let names = interface.types.map(\.name) + interface.methods.map(\.name) + interface.errors.map(\.name)
        try unique(names, interface.name)
        for type in interface.types {
            try check(type.value, type.name)
            guard isFinite(type.value, [type.name]) else { throw InterfaceError.endless(type: type.name) }
        }
        for method in interface.methods {
            try check(.structure(method.value.input), method.name)
            try check(.structure(method.value.output), method.name)
        }
        for error in interface.errors { try check(.structure(error.value), error.name) }
    }

    private func check(_ type: VarlinkType, _ place: String) throws {
        switch type {
        case .bool, .int, .float, .string, .object: return
        case .maybe(let inner), .array(let inner), .dictionary(let inner): try check(inner, place)
        case .enumeration(let cases): try unique(cases, place)
        case .structure(let fields):
            try unique(fields.map(\.name), place)
            for field in fields { try check(field.type, place) }
        case .named(let name):
            guard interface.type(named: name) != nil else {
                throw InterfaceError.undefinedType(name: name, place: place)
            }
        }
    }

    private func unique(_ names: [String], _ place: String) throws {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw InterfaceError.duplicate(name: name, place: place)
        }
    }

    /// Whether `type` has a finite value, given that it is nested in values of the types `open`.
    private func isFinite(_ type: VarlinkType, _ open: Set<String>) -> Bool {
        switch type {
        case .structure(let fields): fields.allSatisfy { isFinite($0.type, open) }
        case .named(let name):
            !open.contains(name) && (interface.type(named: name).map { isFinite($0, open.union([name])) } ?? true)
        default: true
        }
    }
}
