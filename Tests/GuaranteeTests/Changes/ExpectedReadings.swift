import Synchronization
import TestSupport

/// What clients have sent and been told: what an export must show.
///
/// Each series has one sender, so that its batches have an order; anybody may forget a series meanwhile.
final class ExpectedReadings: Sendable {
    /// When something was sent, and when it was acknowledged, in steps of one clock for all clients.
    fileprivate struct Span {
        var begin: Int
        /// nil: not, because the daemon was killed.
        var end: Int?
    }

    fileprivate struct Batch {
        var span: Span
        /// By time.
        var values: [Int: String]
    }

    fileprivate struct Account {
        var batches: [Batch] = []
        var forgets: [Span] = []
    }

    private let state = Mutex((clock: 0, accounts: [String: Account]()))

    func begin(_ series: String, values: [Int: String]) {
        state.withLock { state in
            state.clock += 1
            let batch = Batch(span: Span(begin: state.clock), values: values)
            state.accounts[series, default: Account()].batches.append(batch)
        }
    }

    /// The newest batch of the series was acknowledged.
    func end(_ series: String) {
        state.withLock { state in
            state.clock += 1
            guard let last = state.accounts[series]?.batches.indices.last else { return }
            state.accounts[series]?.batches[last].span.end = state.clock
        }
    }

    /// - Returns: what ``endForget(_:_:)`` asks for.
    func beginForget(_ series: String) -> Int {
        state.withLock { state in
            state.clock += 1
            state.accounts[series, default: Account()].forgets.append(Span(begin: state.clock))
            return (state.accounts[series]?.forgets.count ?? 1) - 1
        }
    }

    func endForget(_ series: String, _ place: Int) {
        state.withLock { state in
            state.clock += 1
            state.accounts[series]?.forgets[place].end = state.clock
        }
    }

    /// Checks what an export shows, and goes by that from now on.
    ///
    /// - Parameter found: of one series, by time.
    /// - Returns: what it should be instead; nil if it is right.
    func settle(_ series: String, _ found: [Int: String]) -> String? {
        state.withLock { state in
            let account = state.accounts[series] ?? Account()
            let possible = account.possible
            guard possible.contains(found) else { return "\(possible.map(\.count)) readings, not \(found.count)" }
            state.clock += 1
            let span = Span(begin: state.clock, end: state.clock)
            state.accounts[series] = Account(batches: found.isEmpty ? [] : [Batch(span: span, values: found)])
            return nil
        }
    }
}

extension ExpectedReadings.Account {
    /// Batches in a row: the first after a time at which the series may have been forgotten, the last one acknowledged or
    /// the one that was under way.
    fileprivate var possible: [[Int: String]] {
        let count = batches.count
        let gone = forgets.filter { $0.end != nil }.map { forget in
            batches.count { ($0.span.end ?? .max) < forget.begin }
        }
        let touched = forgets.map { forget in batches.count { $0.span.begin < forget.end ?? .max } }
        let firsts = (gone.max() ?? 0)...max(gone.max() ?? 0, touched.max() ?? 0)
        let ends = (batches.last.map { $0.span.end == nil } ?? false) ? [count - 1, count] : [count]
        return firsts.flatMap { first in
            ends.map { end in
                batches[min(first, end)..<end].reduce(into: [:]) { all, batch in all.merge(batch.values) { $1 } }
            }
        }
    }
}
