import Basics
import Storage
import TimeSeries

/// A message to a shard; handled in the order of the commits.
enum ShardMessage: Sendable {
    case adopt([SeriesSetup])
    /// The readings of a commit, and the cadences that were determined with them.
    case commit([PositionedReading], [NewCadence])
    /// These series are about to begin a new epoch: keep everything until its history arrives.
    case prepareEpoch([SeriesID])
    case load([Load])
    case cancelEpoch([SeriesID])
    case forget([SeriesID])
    /// The new anomaly rules, by forecaster.
    case setAnomalyRules([String: AnomalyRule])
    /// A question, run once these series (all, if nil) have stepped over everything committed before.
    case ask([SeriesID]?, @Sendable (ShardView) -> Void)

    struct NewCadence: Sendable {
        var series: SeriesID
        var cadence: Cadence
        var latenessSlots: Int
    }

    /// The new epoch of a series.
    struct Load: Sendable {
        var series: SeriesID
        /// nil: the series is no longer forecast.
        var assignment: Assignment?
        var history: KeptReadings
        /// nil: the slots are unchanged.
        var grid: ModelChange.Grid?
    }

    var isQuestion: Bool { if case .ask = self { true } else { false } }
}

/// A subset of the series, owned by one thread; all stepping of their states runs there.
///
/// `@unchecked Sendable`: `stepper`, `series`, `grouped`, `coverage`, `behind`, `questions` and `anomalyRules` are used
/// only by the thread that takes its steps; other threads use `mailbox` and `forecastCache`, which have their own locks.
final class Shard: Worker, @unchecked Sendable {
    let mailbox: Mailbox<ShardMessage>
    let forecastCache = ForecastCache()
    private let stepper: Stepper
    private let kernel: String
    private let watchers: Watchers
    private let pendingWrites: PendingWrites
    private let faults: ForecastFaults
    private let clock: any WallClock
    private let runtime: any Runtime
    private var anomalyRules: [String: AnomalyRule]
    private var series = ShardSeries()
    private var grouped = ReadingsBySeries()
    private var coverage = CoverageTotals()
    /// The series with steps to do, each once, in the order in which they were added.
    private var behind: [SeriesHandle] = []
    private var questions: [(series: [SeriesID]?, answer: @Sendable (ShardView) -> Void)] = []

    /// The maximum number of steps per series between two checks of the mailbox, so that a long replay yields to live
    /// series.
    private static let roundsPerAdvance = 64
    /// The number of series that absorb their readings and step together: their memory, about 3 KiB each, leaves room
    /// in the second-level cache for the other threads, and is enough for full batches of a model.
    private static let seriesPerBatch = 64

    init(
        stepper: Stepper, kernel: String, watchers: Watchers, pendingWrites: PendingWrites, faults: ForecastFaults,
        clock: any WallClock, runtime: any Runtime, anomalyRules: [String: AnomalyRule]
    ) {
        self.stepper = stepper
        self.kernel = kernel
        self.watchers = watchers
        self.pendingWrites = pendingWrites
        self.faults = faults
        self.clock = clock
        self.runtime = runtime
        self.anomalyRules = anomalyRules
        mailbox = Mailbox(capacity: 32)
    }

    deinit { series.removeAll() }

    /// Sends a message that may change a forecast; blocks while the mailbox is full.
    func tell(_ message: ShardMessage) {
        forecastCache.willSend()
        if mailbox.room <= 0 { runtime.willWait(for: self) }
        if !mailbox.post(message) { forecastCache.didHandle(1) }
    }

    var isIdle: Bool { behind.isEmpty && mailbox.backlog == 0 }

    /// Handles the waiting messages and steps the series that are behind.
    ///
    /// - Returns: false once the mailbox is closed and empty, and no series is behind.
    func step(mayWait: Bool) -> Bool {
        guard let messages = mailbox.receive(limit: 64, timeout: mayWait && behind.isEmpty ? nil : 0) else {
            while !behind.isEmpty { advance() }
            answerQuestions()
            return false
        }
        for message in messages { handle(message) }
        advance()
        forecastCache.didHandle(messages.count { !$0.isQuestion })
        answerQuestions()
        return true
    }

    private func handle(_ message: ShardMessage) {
        switch message {
        case .adopt(let setups):
            for setup in setups {
                let state = series.add(SeriesState(setup: setup))
                updateAnomalyRule(of: state)
                markBehind(state)
            }
        case .commit(let readings, let cadences): absorb(readings, cadences)
        case .prepareEpoch(let ids): prepareEpochs(ids.compactMap { series[$0] })
        case .cancelEpoch(let ids): for id in ids { series[id]?.isEpochPending = false }
        case .load(let loads):
            for item in loads { load(item) }
            stepper.releaseModels()
        case .forget(let ids):
            let removed = Set(ids)
            behind.removeAll { removed.contains($0.id) }
            series.remove(removed)
            for id in ids { _ = forecastCache.invalidate(id) }
            stepper.releaseModels()
        case .setAnomalyRules(let rules):
            anomalyRules = rules
            for state in series.all { updateAnomalyRule(of: state) }
        case .ask(let ids, let answer): questions.append((ids, answer))
        }
    }

    /// Absorbs the readings of a commit and steps over them at once, because every commit gives its series a forecast.
    private func absorb(_ readings: [PositionedReading], _ cadences: [ShardMessage.NewCadence]) {
        if PlantedBug.cadenceBeforeItsReading.isActive { adopt(cadences) }
        // Series that were behind continue once per commit, not once per batch.
        advance()
        // Stepping between a cadence and its reading could drop the reading as late.
        adopt(cadences)
        let waiting = behind
        behind = []
        grouped.group(readings, of: series)
        // Local copies: reading a property of this object in the loop would count references for each series.
        let (grouped, all) = (grouped, series.all)
        var rest = grouped.series[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Self.seriesPerBatch)
            for (index, seriesIndex) in zip(batch.indices, batch) {
                Prefetch.ahead(of: index, in: batch, all, grouped, readings)
                let state = all[seriesIndex]
                grouped.forEachReading(of: seriesIndex) {
                    state.absorb(readings[$0].reading, at: readings[$0].position)
                }
                markBehind(state)
            }
            rest = rest.dropFirst(Self.seriesPerBatch)
            advance()
        }
        behind = waiting + behind
    }

    private func adopt(_ cadences: [ShardMessage.NewCadence]) {
        for new in cadences { series[new.series]?.set(cadence: new.cadence, latenessSlots: new.latenessSlots) }
    }

    /// Hands over the scores so far of the epochs that may end now.
    private func prepareEpochs(_ states: [SeriesHandle]) {
        while states.contains(where: { $0.isBehind }) { advance() }
        for state in states {
            if let block = state.prepareEpoch() { handOver([block], of: state) }
        }
    }

    private func load(_ item: ShardMessage.Load) {
        guard let state = series[item.series] else { return }
        if let grid = item.grid { state.set(cadence: grid.cadence, latenessSlots: grid.latenessSlots) }
        guard let assignment = item.assignment else {
            state.stopForecasting()
            return markBehind(state)
        }
        if PlantedBug.takenBackUnserved.isActive, state.runningState == nil { return }
        state.load(assignment, history: item.history)
        updateAnomalyRule(of: state)
        markBehind(state)
        let version = assignment.version.version
        watchers.publish(
            .model(
                series: state.key, forecaster: version.forecaster, version: version.number,
                reason: "\(assignment.epoch.cause)"))
    }

    private func updateAnomalyRule(of state: SeriesHandle) {
        state.anomalyRule = state.runningState.flatMap {
            anomalyRules[$0.version.version.forecaster]
        }
    }

    private func markBehind(_ state: SeriesHandle) {
        if state.cacheUse == .cached {
            state.cacheUse = forecastCache.invalidate(state.id) ? .requested : .none
        }
        guard !state.isBehind else { return }
        state.isBehind = true
        behind.append(state)
    }

    private func advance() {
        guard !behind.isEmpty else { return }
        let unfinished = stepper.advance(behind, rounds: Self.roundsPerAdvance)
        let isWatched = watchers.hasSubscriber(for: .forecast)
        for state in behind { state.isBehind = false }
        for state in unfinished { state.isBehind = true }
        for state in behind where !state.isBehind { publish(state, isWatched: isWatched) }
        behind = unfinished
    }

    private func publish(_ series: SeriesHandle, isWatched: Bool) {
        handOverResults(of: series)
        recordFault(of: series)
        let isRequested = series.cacheUse == .requested
        guard isWatched || isRequested,
            let forecast = ShardView.forecast(
                of: series, stepper: stepper, now: nil, history: isRequested ? SeriesState.chartSlots : 1)
        else { return }
        if isRequested {
            forecastCache.insert(forecast, of: series.id, wasRead: false)
            series.cacheUse = .cached
        }
        if isWatched { watchers.publish(.forecast(forecast)) }
    }

    private func recordFault(of series: SeriesHandle) {
        guard let runningState = series.runningState, runningState.open?.isAbsent == false,
            runningState.forecast.first?.isNaN == true
        else { return }
        faults.record(runningState.version.version, series: series.key.description)
    }

    /// Hands over the results of its steps: outages, a checkpoint, scores and anomalies.
    private func handOverResults(of series: SeriesHandle) {
        if series.hasUnsavedOutages { pendingWrites.outages.put(series.drainUnsavedOutages()) }
        handOver(series.drainFinishedBlocks(), of: series)
        // After the scores, see ``PendingWrites``.
        if let checkpoint = series.advanceBase(kernel: kernel) { pendingWrites.checkpoints.put(checkpoint) }
        if series.hasAnomalies {
            for anomaly in series.drainAnomalies(now: clock.now) { watchers.publish(.anomaly(anomaly)) }
        }
    }

    private func handOver(_ blocks: [SlotScores], of series: SeriesHandle) {
        guard !blocks.isEmpty, let cadence = series.cadence else { return }
        for block in blocks { coverage.add(block, of: series.runningState?.version.version.forecaster) }
        pendingWrites.scores.put(
            FinishedScores(series: series.id, blocks: blocks.map { .init(cadence: cadence, scores: $0) }))
    }

    private func answerQuestions() {
        guard !questions.isEmpty else { return }
        let view = ShardView(series: series, stepper: stepper, coverage: coverage, forecastCache: forecastCache)
        let (ready, waiting) = questions.partitioned { question in
            question.series.map { ids in ids.allSatisfy { series[$0]?.isBehind != true } } ?? behind.isEmpty
        }
        questions = waiting
        for question in ready { question.answer(view) }
    }
}

extension Array {
    /// The elements for which `isFirst` holds, and the others; both in order.
    fileprivate func partitioned(_ isFirst: (Element) -> Bool) -> ([Element], [Element]) {
        reduce(into: ([], [])) { parts, element in
            if isFirst(element) { parts.0.append(element) } else { parts.1.append(element) }
        }
    }
}
