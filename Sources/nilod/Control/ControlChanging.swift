import ControlInterface
import Engine
import Glibc
import LineProtocol
import TimeSeries
import Varlink

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// The methods that change something.
extension ControlService {
    @Sendable func ingest(_ call: VarlinkCall) async throws {
        let question = try call.decode(Question.Ingest.self)
        guard let precision = Precision(rawValue: question.precision ?? "ns") else {
            throw VarlinkError.invalidParameter("precision")
        }
        let batch: DecodedBatch
        switch question.format ?? "line" {
        case "line":
            batch = DecodedBatch(
                lineProtocol: Array(question.text.utf8), precision: precision, firstLine: question.firstLine ?? 1)
        case "csv": batch = DecodedBatch(csv: question.text, precision: precision, firstLine: question.firstLine ?? 1)
        default: throw VarlinkError.invalidParameter("format")
        }
        let receipt = try await engine.ingest(batch.readings)
        let refusals = receipt.refusals.map { refusal in
            Problem(
                line: batch.lines[refusal.index], column: 1,
                reason: "\(batch.readings[refusal.index].key.shortText): \(refusal)")
        }
        let problems = batch.problems.map { Problem(line: $0.line, column: $0.column, reason: $0.reason) } + refusals
        try await call.reply(
            Reply.Ingest(
                accepted: receipt.accepted, late: receipt.late, skipped: batch.skipped,
                refused: batch.refused + refusals.count,
                problems: Array(problems.sorted { $0.line < $1.line }.prefix(100)), position: Int(receipt.position)))
    }

    @Sendable func retrain(_ call: VarlinkCall) async throws {
        let name = try call.decode(Question.OfForecaster.self).forecaster
        let events = try await retraining.request(name)
        guard call.wantsMore else {
            return try await call.reply(
                Reply.Retrain(phase: "queued", done: 0, total: 0, text: "training is queued", promoted: 0))
        }
        for await event in events {
            let reply = Reply.Retrain(event)
            let isLast = reply.phase == "finished" || reply.phase == "failed"
            try await call.reply(reply, continues: !isLast)
            if isLast { return }
        }
        try await call.reply(Reply.Retrain(.failed("training was cancelled")))
    }

    @Sendable func promote(_ call: VarlinkCall) async throws {
        let question = try call.decode(Question.Promote.self)
        try await call.reply(
            Reply.Promote(series: try await engine.promote(question.forecaster, number: question.version)))
    }

    @Sendable func rollBack(_ call: VarlinkCall) async throws {
        let name = try call.decode(Question.OfForecaster.self).forecaster
        try await call.reply(Reply.Rollback(series: try await engine.rollBack(name)))
    }

    @Sendable func reset(_ call: VarlinkCall) async throws {
        let question = try call.decode(Question.Reset.self)
        try await engine.reset(question.series, isWarm: question.warm)
        try await call.reply(Reply.Reset())
    }

    @Sendable func forget(_ call: VarlinkCall) async throws {
        let selector = try SeriesSelector(parsing: call.decode(Question.Forget.self).selector)
        try await call.reply(Reply.Forget(removed: try await engine.forget(selector)))
    }

    @Sendable func expire(_ call: VarlinkCall) async throws {
        try await call.reply(Reply.Expire(time: try await engine.expireNow().text))
    }

    @Sendable func reloadConfiguration(_ call: VarlinkCall) async throws {
        try await call.reply(Reply.Reload(text: try await reload()))
    }

    /// The database in pieces.
    @Sendable func backup(_ call: VarlinkCall) async throws {
        guard call.wantsMore else { throw VarlinkError.expectedMore }
        try await longAnswers.stream(to: call.peerKey) { try await sendBackup(call) }
    }

    private func sendBackup(_ call: VarlinkCall) async throws {
        let file = try BackupCopy.make(of: store, in: folder)
        while let piece = try file.next(786_432) {
            try await call.reply(
                Reply.Backup(data: Data(piece.bytes).base64EncodedString(), done: piece.done), continues: true)
        }
        try await call.reply(Reply.Backup(data: "", done: 1))
    }
}
