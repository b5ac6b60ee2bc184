/// One thing that happens in a world. What it does in detail follows from its seed and from the world at that moment, so
/// that removing other operations leaves it what it is.
public struct Operation: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A sender sends its next batch, or the one that was not acknowledged again.
        case send
        /// A batch of corrections, repetitions, withheld readings, or readings from the future.
        case sendOdd
        /// A batch without timestamps: the time of arrival counts.
        case sendUntimed
        /// Thousands of readings at once.
        case flood
        /// A little time passes; much time passes.
        case wait, pass
        /// Somebody asks for a forecast, a state, a list or an export.
        case ask
        /// Watchers come, read and go.
        case watch
        case promote, rollBack, reset, reload, train, forget
        /// Somebody lets everything that has expired be removed.
        case expire
        /// A plugin dies, hangs or comes back.
        case plugin
        /// The clock of the machine jumps or is set right.
        case clock
        /// A disk fault is planned; faults end.
        case fault, heal
        /// The process or the power dies, and the daemon starts again.
        case crash
        /// The daemon is stopped and started again.
        case restart
        case backUp, restore
        /// Everything comes to rest and is compared.
        case check
    }

    public var kind: Kind
    public var seed: UInt64
}

extension Operation.Kind {
    /// How often it happens on average: weights, not probabilities.
    fileprivate var weight: Int {
        switch self {
        case .send: 1_500
        case .sendOdd: 160
        case .wait: 160
        case .ask, .sendUntimed: 40
        case .pass: 16
        case .watch, .plugin: 12
        case .promote, .rollBack, .reset, .reload, .train, .heal: 8
        case .fault, .clock: 6
        case .crash, .forget: 4
        case .check, .backUp, .expire: 2
        case .restart, .flood, .restore: 1
        }
    }
}

/// Everything that will happen in a world.
public struct Plan: Sendable {
    public var seed: UInt64
    public var operations: [Operation]

    public static let standardLength = 2_000

    /// By how much a world favours a kind of operation: what is rare everywhere is frequent in some worlds, together
    /// with other rare things, and missing in others.
    private static let favours = [0, 1, 2, 2, 2, 5]

    /// The plan of a seed.
    public init(seed: UInt64, length: Int = standardLength) {
        self.seed = seed
        var random = Random(seed: seed)
        let kinds = Operation.Kind.allCases
        let weights = kinds.map { $0 == .send ? 2 * $0.weight : $0.weight * random.pick(Self.favours) }
        let total = weights.reduce(0, +)
        operations = (0..<length).map { _ in
            var choice = random.below(total)
            for (kind, weight) in zip(kinds, weights) {
                choice -= weight
                if choice < 0 { return Operation(kind: kind, seed: random.next()) }
            }
            return Operation(kind: .send, seed: random.next())
        }
    }

    init(seed: UInt64, operations: [Operation]) { (self.seed, self.operations) = (seed, operations) }
}
