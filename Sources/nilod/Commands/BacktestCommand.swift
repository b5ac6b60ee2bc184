import ArgumentParser
import Backtesting
import Basics
import Engine
import Glibc
import PluginHost
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The engine over a file of old readings.
struct BacktestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtest", abstract: "Forecast a file of old readings as the daemon would have.",
        discussion: """
            The file is an export of niloctl in any of its formats, line protocol, or CSV with a header: timestamp, value
            and perhaps series. An empty value is a missing one; a time without a zone is UTC. The forecaster is trained on the rows before --warm; then the rows are read one by one, and every --stride rows the
            next --horizon rows are forecast. Rows count from 0; a negative number counts from the end.

            Example:
              nilod backtest --config nilod.toml --forecaster house --data load.csv --warm -500 --horizon 24 --stride 7
            """)

    @Option(help: "The configuration file.") var config: String
    @Option(help: "The forecaster of the configuration.") var forecaster: String
    @Option(help: "The readings, ascending in time within each series.") var data: String
    @Option(help: "csv, line or json; by the file's beginning if left out.") var format: Format?
    @Option(parsing: .unconditional, help: "Rows before the first forecast.") var warm: Int
    @Option(parsing: .unconditional, help: "The row after the last; 0 is the end.") var end = 0
    @Option(help: "Rows between forecasts.") var stride = 1
    @Option(help: "Rows to forecast.") var horizon = 24
    @Option(help: "Where the forecasts go, as CSV.") var out: String?
    @Option(help: "Where the newest rows' tail probabilities go, and how unusual they are, as CSV.") var surprises:
        String?
    @Option(help: "The name of the series of a file without a column for it.") var series = "series"
    @Option(help: "Rows in a season, for the scores; a day if not given.") var season: Int?

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case csv, line, json

        fileprivate var ofFile: DataFile.Format {
            switch self {
            case .csv: .csv
            case .line: .line
            case .json: .json
            }
        }
    }

    func run() async throws {
        do {
            try await perform()
        } catch let error as SettingsError {
            throw Exit.say("\(error)", 78)
        } catch let error as BacktestError {
            throw Exit.say("\(error)", 65)
        } catch let error as EngineError {
            throw Exit.say("\(error)", 65)
        } catch let error as CocoaError {
            throw Exit.say("\(error.localizedDescription)", 66)
        } catch {
            throw Exit.forStart(error)
        }
    }

    private func perform() async throws {
        let started = ContinuousClock.now
        let settings = try Settings.load(config)
        guard access(data, R_OK) == 0 else { throw Exit.unreadable(data) }
        let all = try DataFile.parse(
            [UInt8](try Data(contentsOf: URL(filePath: data))), format: format?.ofFile, name: series)
        let plan = BacktestPlan(warm: warm, end: end, stride: stride, horizon: horizon)
        let folder = URL(filePath: try ScratchFolder.make("nilod-backtest"))
        defer { try? FileManager.default.removeItem(at: folder) }
        let child = TrainingChild(launcher: Executable.own) { Console.complain("training: \($0)") }
        let backtest = try Backtest(
            settings.engine, forecaster: forecaster, methods: Methods.all, plan: plan,
            kernel: Methods.kernels.arithmetic, folder: folder,
            onFatal: { Daemon.die($0) }
        ) { folder, progress in try await child.run(folder, progress: progress) }
        let quantiles = backtest.configuration.forecasters[0].quantiles
        var cards = try all.map {
            try Scorecard($0, plan: plan, quantiles: quantiles, season: season ?? Self.day(of: $0))
        }
        let indices = Dictionary(keepingFirst: all.enumerated().map { ($1.name, $0) })
        let file = try out.map { try OutputFile($0) }
        try file?.write(ForecastFile.header(quantiles))
        let surpriseFile = try surprises.map { try OutputFile($0) }
        try surpriseFile?.write(ForecastFile.surpriseHeader)
        let bar = ProgressBar()
        let outcome = try await backtest.run(all, progress: bar.show) { made in
            if let index = indices[made.series] { cards[index].add(made) }
            try file?.write(ForecastFile.rows(made, quantiles))
            try surpriseFile?.write(ForecastFile.surprise(made))
        }
        bar.finish()
        try file?.finish()
        try surpriseFile?.finish()
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        Console.print(BacktestSummary.text(cards.map { ($0.series, $0.result) }, training: outcome, seconds: seconds))
    }

    /// Rows in a day.
    private static func day(of series: DataSeries) -> Int {
        guard let cadence = Cadence.inferred(from: series.timestamps.prefix(1_000)) else { return 1 }
        return max(1, Int(86_400_000_000_000 / cadence.nanoseconds))
    }
}

/// A file that is written from its beginning.
private final class OutputFile {
    private let file: UnsafeMutablePointer<FILE>
    private let path: String

    init(_ path: String) throws {
        guard let file = fopen(path, "we") else { throw Self.failure(path) }
        (self.file, self.path) = (file, path)
    }

    deinit { fclose(file) }

    func write(_ text: String) throws { if fputs(text, file) < 0 { throw Self.failure(path) } }

    func finish() throws { if fflush(file) != 0 { throw Self.failure(path) } }

    private static func failure(_ path: String) -> any Error {
        Exit.say("cannot write \(path): \(String(cString: strerror(errno)))", 73)
    }
}

/// Rows done, on a terminal.
private final class ProgressBar {
    private let isWatched = isatty(2) == 1
    private var shown = -1

    func show(_ done: Int, _ total: Int) {
        let percent = total > 0 ? 100 * done / total : 100
        guard isWatched, percent != shown else { return }
        shown = percent
        let full = percent * 30 / 100
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: 30 - full)
        Console.draw("\r\(bar) \(percent) %  \(done) of \(total) rows ")
    }

    func finish() { if isWatched { Console.draw("\r\u{1B}[K") } }
}
