import ControlInterface
import Engine
import Feeding
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
        let question = try call.decode(Control.Ingest.Request.self)
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
        let outcome = try await LineIntake(
            precision: precision, counters: counters, commit: engine.commit(isUrgent: true)
        ).commit(batch)
        let problems = outcome.problems.prefix(100).map {
            Problem(line: $0.line, column: $0.column, reason: $0.reason)
        }
        // Without a good reading nothing was committed: the newest position stays.
        let position = outcome.position > 0 ? outcome.position : try store.lastPosition()
        try await call.reply(
            Control.Ingest.Reply(
                accepted: outcome.accepted, late: outcome.late, skipped: outcome.skipped, refused: outcome.refused,
                problems: problems, position: Int(position)))
    }

    @Sendable func retrain(_ call: VarlinkCall) async throws {
        let name = try call.decode(Control.Retrain.Request.self).forecaster
        let events = try await retraining.request(name)
        guard call.wantsMore else {
            return try await call.reply(
                Control.Retrain.Reply(phase: "queued", done: 0, total: 0, text: "training is queued", promoted: 0))
        }
        for await event in events {
            let reply = Control.Retrain.Reply(event)
            let isLast = reply.phase == "finished" || reply.phase == "failed"
            try await call.reply(reply, continues: !isLast)
            if isLast { return }
        }
        try await call.reply(Control.Retrain.Reply(.failed("training was cancelled")))
    }

    @Sendable func promote(_ call: VarlinkCall) async throws {
        let question = try call.decode(Control.Promote.Request.self)
        try await call.reply(
            Control.Promote.Reply(series: try await engine.promote(question.forecaster, number: question.version)))
    }

    @Sendable func rollBack(_ call: VarlinkCall) async throws {
        let name = try call.decode(Control.Rollback.Request.self).forecaster
        try await call.reply(Control.Rollback.Reply(series: try await engine.rollBack(name)))
    }

    @Sendable func reset(_ call: VarlinkCall) async throws {
        let question = try call.decode(Control.Reset.Request.self)
        try await engine.reset(question.series, isWarm: question.warm)
        try await call.reply(Control.Reset.Reply())
    }

    @Sendable func forget(_ call: VarlinkCall) async throws {
        let selector = try SeriesSelector(parsing: call.decode(Control.Forget.Request.self).selector)
        try await call.reply(Control.Forget.Reply(removed: try await engine.forget(selector)))
    }

    @Sendable func expire(_ call: VarlinkCall) async throws {
        try await call.reply(Control.Expire.Reply(time: try await engine.expireNow().text))
    }

    @Sendable func reloadConfiguration(_ call: VarlinkCall) async throws {
        try await call.reply(Control.Reload.Reply(text: try await reload()))
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
                Control.Backup.Reply(data: Data(piece.bytes).base64EncodedString(), done: piece.done), continues: true)
        }
        try await call.reply(Control.Backup.Reply(data: "", done: 1))
    }
}
