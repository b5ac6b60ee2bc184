#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Removes operations from a plan as long as its world still breaks the same promise (delta debugging, Zeller 1999).
public struct Shrinking {
    public struct Result {
        public var plan: Plan
        public var failure: Failure
    }

    private let folder: URL

    public init(folder: URL) { self.folder = folder }

    /// - Returns: nil if the world of `plan` does not fail.
    public func run(_ plan: Plan) -> Result? {
        guard let failure = failure(of: plan) else { return nil }
        var operations = Array(plan.operations.prefix(failure.operation + 1))
        var size = max(1, operations.count / 2)
        var best = failure
        while true {
            var start = 0
            var isSmaller = false
            while start < operations.count {
                let end = min(operations.count, start + size)
                let fewer = Array(operations[..<start] + operations[end...])
                if let still = self.failure(of: Plan(seed: plan.seed, operations: fewer)),
                    still.promise == failure.promise
                {
                    (operations, best, isSmaller) = (fewer, still, true)
                } else {
                    start = end
                }
            }
            if size == 1, !isSmaller { break }
            if !isSmaller { size = max(1, size / 2) }
        }
        return Result(plan: Plan(seed: plan.seed, operations: operations), failure: best)
    }

    private func failure(of plan: Plan) -> Failure? { World(plan, coverage: Coverage(), folder: folder).run() }
}
