import Forecasting
import Storage
import TimeSeries

/// One series as its shard keeps it: the readings its state may be replayed from, the slot values, and the track.
///
/// Owned by one shard thread and used nowhere else.
final class SeriesState {
    let id: SeriesID
    let key: SeriesKey
    let aggregate: Aggregate
    let maxGap: Int
    private(set) var cadence: Cadence?
    private(set) var latenessSlots = 0
    private(set) var kept = KeptReadings()
    private(set) var values = SlotValues()
    private(set) var track: Track?
    /// Of the track's epoch.
    private var outages = Outages()
    /// The highest journal position whose reading changed anything here.
    private(set) var absorbed: JournalPosition = 0
    private(set) var counts = SeriesCounts()
    /// True from a promotion's commit until its warm-up history has come: nothing may be pruned.
    var isHeld = false
    /// Whether its shard has it on the list of those that have steps to do.
    var isBehind = false
    /// Whether its forecast is on the shard's board.
    var showing = Showing.not
    private var finishedScores: [FinishedScores] = []
    /// Which closed slots are anomalies; nil: none.
    var anomalyRule: AnomalyRule?
    var judge = AnomalyJudge()
    /// Those that nobody has been told of yet.
    var anomalies: [SeriesAnomaly] = []
    /// The slot of the newest checkpoint.
    private var checkpointSlot: Slot?

    enum Showing {
        case not, shown
        /// It was read there, and the next one shall be shown.
        case wanted
    }

    /// Slots kept for pictures when no lag asks for more.
    static let shownSlots = 240

    init(setup: SeriesSetup) {
        id = setup.record.id
        key = setup.record.key
        aggregate = setup.record.aggregate
        maxGap = setup.maxGap
        cadence = setup.record.cadence
        latenessSlots = setup.record.latenessSlots ?? 0
        load(setup.assignment, checkpoint: setup.checkpoint, history: setup.history, outages: setup.outages)
        if let frontier { judge = AnomalyJudge(silentThrough: frontier - 1) }
    }

    var newest: KeptReadings.Kept? { kept.kept.last }

    /// The newest slot with a reading.
    var frontier: Slot? { cadence.flatMap { cadence in newest.map { cadence.slot(of: $0.timestamp) } } }

    func settle(cadence: Cadence, latenessSlots: Int) {
        self.cadence = cadence
        self.latenessSlots = latenessSlots
    }

    /// Takes a committed reading in; an out-of-order one rolls the track back to before its slot.
    func absorb(_ reading: Reading, at position: JournalPosition) {
        guard reading.timeliness == .fresh, !isSettled(reading.timestamp) else {
            counts.late += 1
            return
        }
        take(KeptReadings.Kept(timestamp: reading.timestamp, value: reading.value, position: position))
    }

    private func take(_ reading: KeptReadings.Kept) {
        switch kept.insert(reading) {
        case .repeated:
            counts.repeated += 1
            return
        case .added: counts.readings += 1
        case .corrected: counts.corrected += 1
        }
        absorbed = max(absorbed, reading.position)
        guard let cadence, let steppedThrough, cadence.slot(of: reading.timestamp) <= steppedThrough else { return }
        rollBack(before: cadence.slot(of: reading.timestamp))
    }

    /// The newest slot whose value is fixed in `values`: the head, or the slots before the track's first.
    private var steppedThrough: Slot? {
        guard let track else { return nil }
        return track.head.slot ?? (track.firstSlot == .min ? nil : track.firstSlot - 1)
    }

    private func isSettled(_ timestamp: Timestamp) -> Bool {
        guard let cadence, let base = track?.snapshots.first?.slot else { return false }
        return cadence.slot(of: timestamp) <= base
    }

    private func rollBack(before slot: Slot) {
        track?.rollBack(before: slot)
        values.truncate(after: min(slot - 1, steppedThrough ?? .min))
        fillValues()
    }

    /// Aggregates the kept readings of the slots that the track has passed or will never step.
    private func fillValues() {
        guard let cadence, let end = steppedThrough else { return }
        var next = values.newest.map { $0 + 1 } ?? .min
        while let slot = kept.firstSlot(from: next, cadence: cadence), slot <= end {
            values.append(value(of: slot, cadence: cadence), at: slot)
            next = slot + 1
        }
    }

    private func value(of slot: Slot, cadence: Cadence) -> Float {
        // Every aggregate of one value is that value.
        if let only = kept.onlyValue(in: slot, cadence: cadence) { return Float(slotValue: only) }
        return aggregate(kept.values(in: slot, cadence: cadence)).map { Float(slotValue: $0) } ?? .nan
    }

    /// Starts `assignment`'s track: from `checkpoint` if it fits, else from the beginning of its epoch.
    ///
    /// This one function is recovery, warm-up after a promotion, and reset.
    func load(
        _ assignment: Assignment?, checkpoint: Checkpoint?, history: [PositionedReading],
        outages: [ClosedRange<Slot>] = []
    ) {
        self.outages = Outages(outages)
        let newer = kept
        let position = assignment?.epoch.position ?? 0
        kept = KeptReadings()
        values = SlotValues()
        for reading in history where reading.reading.timeliness == .fresh || reading.position <= position {
            keep(reading)
        }
        for reading in newer.kept where reading.position > position { _ = kept.insert(reading) }
        absorbed = kept.kept.reduce(absorbed) { max($0, $1.position) }
        track = assignment.map { assignment in
            checkpoint.flatMap { Track(epoch: assignment.epoch, version: assignment.version, checkpoint: $0) }
                ?? Track(epoch: assignment.epoch, version: assignment.version)
        }
        isHeld = false
        checkpointSlot = track?.head.slot
        fillValues()
    }

    private func keep(_ reading: PositionedReading) {
        let change = kept.insert(
            .init(timestamp: reading.reading.timestamp, value: reading.reading.value, position: reading.position))
        if change == .added { counts.readings += 1 }
    }
}

// MARK: - Stepping

extension SeriesState {
    /// What the track has to do next.
    struct Step {
        var slot: Slot
        var value: Float
        /// Whether it is the newest slot, which later readings may still change.
        var isOpen: Bool
        /// Whether it is known to have no answer of the model.
        var isAbsent = false
    }

    /// The next step towards the frontier; nil when there is nothing to do.
    ///
    /// A slot that closes with the value it was last stepped with keeps that state, without another step.
    func nextStep() -> Step? {
        guard let cadence, let frontier, let track else { return nil }
        while true {
            let from = track.head.slot.map { $0 + 1 } ?? track.firstSlot
            guard let nextValue = kept.firstSlot(from: from, cadence: cadence) else { return nil }
            let slot = track.nextSlot(nextValue: nextValue, maxGap: maxGap)
            let value = slot == nextValue ? value(of: slot, cadence: cadence) : .nan
            let isCurrent = track.open.map { $0.isCurrent(slot, value) } ?? false
            if slot >= frontier { return isCurrent ? nil : Step(slot: slot, value: value, isOpen: true) }
            guard isCurrent else {
                return Step(slot: slot, value: value, isOpen: false, isAbsent: outages.contains(slot))
            }
            noteScores(before: slot)
            track.open?.state.withUnsafeBufferPointer { noteSurprise(slot, value: value, state: $0) }
            track.closeOpen(spacing: snapshotSpacing)
            if !value.isNaN { values.append(value, at: slot) }
        }
    }

    /// Takes the result of ``nextStep()``: `state`, `[stateCount]`, and of the newest slot its `forecast`.
    func finish(
        _ step: Step, state: UnsafeBufferPointer<Float>, forecast: UnsafeBufferPointer<Float>, isAbsent: Bool
    ) {
        guard !step.isOpen else {
            track?.open(step.slot, value: step.value, state: state, forecast: forecast, isAbsent: isAbsent)
            return
        }
        noteScores(before: step.slot)
        guard !isAbsent else { return passOver(step) }
        noteSurprise(step.slot, value: step.value, state: state)
        track?.close(step.slot, value: step.value, state: state, spacing: snapshotSpacing)
        if !step.value.isNaN { values.append(step.value, at: step.slot) }
    }

    /// Keeps the scores of the block that ends with the head, if the step to `slot` begins another.
    ///
    /// What was scored while a new model warmed up is not kept: it was trained on these very slots.
    private func noteScores(before slot: Slot) {
        guard let track, let cadence, let newest = track.head.slot else { return }
        let length = ServedModel.blockLength(of: cadence)
        guard floorDivide(newest, length) != floorDivide(slot, length),
            let scores = track.model.scores(of: track.head.state, slot: newest, cadence: cadence),
            scores.start >= track.epoch.fromSlot ?? .min
        else { return }
        finishedScores.append(FinishedScores(series: id, cadence: cadence, scores: scores))
    }

    func takeFinishedScores() -> [FinishedScores] {
        guard !finishedScores.isEmpty else { return [] }
        defer { finishedScores = [] }
        return finishedScores
    }

    /// Takes a closed slot that the model gave no answer for: the state stays as it is.
    func passOver(_ step: Step) {
        outages.add(step.slot)
        noteSurprise(step.slot, value: step.value, state: nil)
        track?.passed(step.slot, value: step.value, spacing: snapshotSpacing)
        if !step.value.isNaN { values.append(step.value, at: step.slot) }
    }

    func takeUnsavedOutages() -> [Outage] {
        track.map { outages.takeUnsaved(of: id, epoch: $0.epoch.id) } ?? []
    }

    private var snapshotSpacing: Int64 { Int64(max(1, latenessSlots / 4)) }

    /// Drops what no reading in time can change any more.
    ///
    /// - Returns: a checkpoint of the new base, if it is worth one: twice as far from the last as a replay has to go anyway.
    func settle(kernel: String) -> Checkpoint? {
        guard !isHeld, let cadence, let frontier, let track else { return nil }
        guard track.settle(through: frontier - Int64(latenessSlots)), let base = track.snapshots.first,
            let slot = base.slot
        else { return nil }
        kept.prune(before: cadence.start(of: slot + 1))
        values.prune(before: slot - Int64(keptSlots))
        outages.prune(through: slot)
        if let checkpointSlot, slot - checkpointSlot < 2 * Int64(latenessSlots) { return nil }
        checkpointSlot = slot
        return Checkpoint(
            series: id, epoch: track.epoch.id, slot: slot, position: absorbed, frontier: frontier, kernel: kernel,
            state: base.state)
    }

    /// How many slots before the base may still be asked for.
    private var keptSlots: Int { max(track?.model.lags.last ?? 0, Self.shownSlots) }
}
