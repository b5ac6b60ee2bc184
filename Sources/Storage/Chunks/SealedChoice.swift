import Basics
import TimeSeries

/// Which of several readings with the same timestamp a chunk keeps.
///
/// At each timestamp the highest journal position wins, but a series' running state is built from fresh readings and
/// from those late ones that its epoch's warm-up saw. So up to three are kept: the newest fresh one, the newest late
/// one from before the epoch, and the newest of all. A later epoch sees everything that is sealed, so it needs no
/// others.
struct SealedChoice {
    /// The journal position at which the series' newest epoch began; 0 without one. Called only if a timestamp occurs
    /// more than once, which is rare.
    let epochPosition: () throws -> JournalPosition

    /// - Returns: ascending by timestamp, then by position.
    func select(from readings: [PositionedReading]) throws -> [PositionedReading] {
        let isAscending = zip(readings, readings.dropFirst()).allSatisfy { $0.reading.timestamp < $1.reading.timestamp }
        guard !isAscending else { return readings }
        let all = readings.sorted { ($0.reading.timestamp, $0.position) < ($1.reading.timestamp, $1.position) }
        var chosen: [PositionedReading] = []
        chosen.reserveCapacity(all.count)
        var rest = all[...]
        while let time = rest.first?.reading.timestamp {
            let same = rest.prefix { $0.reading.timestamp == time }
            rest = rest.dropFirst(same.count)
            chosen += same.count == 1 ? Array(same) : try choose(same)
        }
        return chosen
    }

    /// - Parameter same: readings with one timestamp, ascending by position.
    private func choose(_ same: ArraySlice<PositionedReading>) throws -> [PositionedReading] {
        Place.correctionChosen.reached()
        let epochPosition = try epochPosition()
        let fresh = same.lastIndex { $0.reading.timeliness == .fresh }
        let inState = same.lastIndex { $0.reading.timeliness == .late && $0.position <= epochPosition }
        let newest = PlantedBug.sealedCorrectionLost.isActive ? fresh : same.indices.last
        let indices = Set([fresh, inState, newest].compactMap { $0 })
        // A reading that repeats the value before it has no effect.
        return indices.sorted().reduce(into: []) { kept, index in
            if kept.last?.reading.value.bitPattern != same[index].reading.value.bitPattern { kept.append(same[index]) }
        }
    }
}
