/// The training run that the child process performs, from folder to folder.
public enum TrainingRun {
    /// Trains on everything but the holdout, then scores the new model and the contenders on the holdout.
    public static func perform(
        in folder: RunFolder, methods: [any ForecastingMethod], progress: (TrainingProgress) throws -> Void
    ) throws {
        let (request, panel) = try folder.readRequest()
        guard let method = try find(request.method, methods) as? any TrainableMethod else {
            throw ForecastingError.badWeights(method: request.method, reason: "it needs no training")
        }
        let start = try request.startFile.map { try folder.readWeights($0) }
        var notes: [TrainingNote] = []
        func report(_ step: TrainingProgress) throws {
            if let note = step.note { notes.append(note) }
            try progress(step)
        }
        if let misfit = request.startMisfit {
            try report(TrainingProgress(done: 0, total: 0, loss: 0, note: .beginsAnew(misfit)))
        }
        let trained = try method.train(
            panel.droppingLast(fraction: request.holdout), from: start, specification: request.specification,
            progress: report)
        let contest = Contest(panel: panel, holdout: request.holdout)
        let candidate = try method.load(weights: trained.weights, specification: request.specification)
        var scores = [TrainingRequest.candidate: contest.scores(of: candidate, as: request.specification)]
        for contender in request.contenders {
            let weights = try contender.weightsFile.map { try folder.readWeights($0) } ?? []
            let model = try find(contender.method, methods).load(
                weights: weights, specification: contender.specification)
            scores[contender.name] = contest.scores(of: model, as: contender.specification)
        }
        try folder.write(
            TrainingResult(metrics: trained.metrics, scores: scores, notes: notes), weights: trained.weights)
    }

    private static func find(_ name: String, _ methods: [any ForecastingMethod]) throws -> any ForecastingMethod {
        guard let method = methods.first(where: { $0.manifest.name == name }) else {
            throw ForecastingError.badWeights(method: name, reason: "this program has no such method")
        }
        return method
    }
}

extension Contest {
    /// The scores of a model as the daemon would serve it: mixed and calibrated.
    fileprivate func scores(of model: any ForecastModel, as specification: ForecastSpecification) -> [SeriesScore?] {
        scores(of: ServedModel(model, specification: specification), specification: specification)
    }
}
