import Engine

/// Series that the daemon removes because they are silent.
extension World {
    /// Finds out which series have gone, or begun anew under their old name.
    ///
    /// - Parameter isSure: whether to look even if the daemon has counted no removal.
    func noticeSilence(isSure: Bool = false) {
        guard settings.timeToLive != nil, let daemon else { return }
        let count = daemon.engine.ingestCounts.expiredSeries
        guard isSure || count != daemon.removedCount || numbers.count != oracle.series.count,
            let found = try? inspector?.series()
        else { return }
        daemon.removedCount = count
        let gone = oracle.series.keys.filter { name in
            guard !forgetting.contains(name) else { return false }
            return found[name] == nil || numbers[name].map { $0 != found[name] } ?? false
        }
        let silent = gone.filter { wasClockEverWrong || oracle.mayBeForgotten($0, at: clock.trueTime) }
        if silent.count < gone.count, count > 0 {
            let name = Set(gone).subtracting(silent).min() ?? ""
            fail("a series is removed for its silence only", "\(name), heard \(oracle.series[name]?.heard.text ?? "")")
        }
        if !silent.isEmpty {
            coverage.note("removed for its silence", silent.count)
            hasForgotten(Set(silent))
        }
        numbers = found.filter { oracle.series[$0.key] != nil }
    }
}
