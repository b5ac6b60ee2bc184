import Foundation
import Synchronization

/// How many kills are wanted, 50 or what `SOAK_KILLS` says, how many there were, and how long the rest will take.
final class KillProgress: Sendable {
    private let wanted = ProcessInfo.processInfo.environment["SOAK_KILLS"].flatMap(Int.init) ?? 50
    private let begun = ContinuousClock.now
    private let count = Mutex(0)

    var wantsMore: Bool { count.withLock { $0 < wanted } }

    func note(_ kills: Int) {
        let sum = count.withLock { count in
            count += kills
            return count
        }
        let left = (ContinuousClock.now - begun) / .seconds(60) * Double(max(0, wanted - sum)) / Double(sum)
        print("\(sum) of \(wanted) kills, about \(String(format: "%.1f", left)) minutes left")
    }
}
