import Forecasting
import LSTMForecaster
import Recurrent
import Testing
import TimeSeries

@Suite("Training that goes on from the champion's weights")
struct OnwardTests {
    private struct Run {
        var weights: [UInt8]
        var steps: Int
        var notes: [TrainingNote]
    }

    private func train(_ panel: Panel, from: [UInt8]? = nil, _ extra: Parameters = [:]) throws -> Run {
        let specification = try Wave.specification(Wave.small.merging(extra) { $1 })
        var run = Run(weights: [], steps: 0, notes: [])
        run.weights = try LSTMMethod().train(panel, from: from, specification: specification) { step in
            run.steps = max(run.steps, step.done)
            if let note = step.note { run.notes.append(note) }
        }.weights
        return run
    }

    private func loss(_ run: Run, on panel: Panel, _ extra: Parameters) throws -> Double {
        let specification = try Wave.specification(Wave.small.merging(extra) { $1 })
        let model = ServedModel(
            try LSTMMethod().load(weights: run.weights, specification: specification), specification: specification)
        let scores = Contest(panel: panel, holdout: 0.2).scores(of: model, specification: specification)
        return scores.reduce(0) { $0 + ($1?.pinball ?? .nan) } / Double(scores.count)
    }

    @Test("half the steps reach the champion's loss on the holdout, where as few from nothing do not")
    func reaches() throws {
        let panel = try Wave.panel(slots: 500)
        // The same base for all, so that only the networks tell them apart.
        let known = panel.droppingLast(fraction: 0.2)
        let steps: Parameters = ["steps": .integer(80)]
        let champion = try train(known, steps)
        let onward = try train(known, from: champion.weights, steps)
        let hasty = try train(known, ["steps": .integer(40)])
        #expect(onward.steps == champion.steps / 2 && hasty.steps == onward.steps)
        #expect(onward.notes == [.goesOn(known: 3, new: 0)] && champion.notes.isEmpty)
        #expect(onward.weights != champion.weights && onward.weights != hasty.weights)
        let (before, after) = (try loss(champion, on: panel, steps), try loss(onward, on: panel, steps))
        let fresh = try loss(hasty, on: panel, steps)
        #expect(after <= 1.01 * before && after < fresh, "\(after), champion \(before), fresh \(fresh)")
    }

    @Test("series keep their embeddings whatever their order, and new ones begin as the mean of those")
    func embeddings() throws {
        let champion = try train(Wave.panel(3))
        let still: Parameters = [
            "steps": .integer(1), "learning_rate": .number(1e-6), "weight_decay": .number(0),
        ]
        let series = try [7, 2, 0, 1].map { try Wave.series($0, slots: 300) }
        let onward = try train(Panel(series: series), from: champion.weights, still)
        #expect(onward.notes == [.goesOn(known: 3, new: 1)])
        for network in ["lstm", "memoryless", "unsquashed"] {
            let name = "group.0/\(network)/series/embeddings"
            let old = try values(champion, name, [3, 4])
            let rows = (0..<3).map { Array(old[4 * $0..<4 * $0 + 4]) }
            let mean: [Float] = (0..<4).map { (rows[0][$0] + rows[1][$0] + rows[2][$0]) / 3 }
            #expect(Self.areClose(try values(onward, name, [4, 4]), mean + rows[2] + rows[0] + rows[1]))
            let kernel = "group.0/\(network)/hidden/kernel"
            let (a, b) = (try values(champion, kernel, [12, 12]), try values(onward, kernel, [12, 12]))
            #expect(a != b && Self.areClose(a, b))
        }
    }

    private func values(_ run: Run, _ name: String, _ shape: [Int]) throws -> [Float] {
        try Safetensors(decoding: run.weights).values(name, shape: shape)
    }

    private static func areClose(_ a: [Float], _ b: [Float]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 }
    }

    @Test("weights that do not fit are left alone, and the run says why")
    func misfits() throws {
        let panel = try Wave.panel()
        let fresh = try train(panel)
        let wide = try train(panel, ["units": .integer(6)])
        let short = try train(Wave.panel(slots: 80))
        let quick = try train(Panel(series: [Wave.series(0, slots: 300, seconds: 60)]))
        for champion in [wide.weights, Array("no weights at all".utf8), short.weights, quick.weights] {
            let run = try train(panel, from: champion)
            #expect(run.weights == fresh.weights)
            guard case .beginsAnew(let misfit) = run.notes.first, run.notes.count == 1 else {
                Issue.record("\(run.notes)")
                continue
            }
            switch misfit {
            case .tensors(let reason):
                #expect(!reason.isEmpty && champion != short.weights && champion != quick.weights)
            case .seasons(let expected, let found):
                #expect(expected == [48, 0] && found == [0, 0] && champion == short.weights)
            case .cadence(let seconds): #expect(seconds == 1_800 && champion == quick.weights)
            default: Issue.record("\(misfit)")
            }
        }
    }

    @Test("of several groups those that are known go on, the others begin anew")
    func groups() throws {
        let champion = try train(Wave.panel(2))
        var panel = try Wave.panel(2)
        panel.series.append(try Wave.series(5, slots: 300, seconds: 60))
        let run = try train(panel, from: champion.weights)
        // Groups ascend by cadence.
        #expect(run.notes == [.beginsAnew(.cadence(seconds: 60)), .goesOn(known: 2, new: 0)])
        #expect(run.steps == 3 * (12 + 6))
    }

    @Test("the plain form begins anew where the champion has other layers, and goes on from its weights elsewhere")
    func plain() throws {
        let plain: Parameters = ["recipe": .string("plain"), "steps": .integer(3)]
        let layers = plain.merging(["layers": .integer(2)]) { $1 }
        let champion = try train(Wave.panel(), plain)
        let deep = try train(Wave.panel(), from: champion.weights, layers)
        #expect(try deep.weights == train(Wave.panel(), layers).weights)
        guard case .beginsAnew(.tensors) = deep.notes.first else {
            Issue.record("\(deep.notes)")
            return
        }
        let onward = try train(Wave.panel(), from: champion.weights, plain)
        #expect(onward.notes.isEmpty && onward.weights != champion.weights)
    }
}
