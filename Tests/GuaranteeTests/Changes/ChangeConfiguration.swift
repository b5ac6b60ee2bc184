import TestSupport

/// A configuration of which a reload may change anything that states, scores or forecasters depend on.
struct ChangeConfiguration: Sendable {
    /// Of the series `room,id=0 t` …
    static let series = (0..<6).map { "room,id=\($0) t" }

    var aggregate = "mean"
    var cadenceMinutes = 10
    var timeZone = "UTC"
    var name = "house"
    var maxGap = 12
    var horizon = 3
    var quantiles = "0.05, 0.5, 0.95"
    var opponents = "\"holt-winters\", \"seasonal-naive\""
    /// The numbers of the series that the first forecaster has.
    var mine = Array(series.indices)
    /// Whether a second one has the others.
    var hasShed = false

    /// With one or two settings changed.
    func changed(_ dice: inout SeededGenerator) -> ChangeConfiguration {
        var other = self
        for _ in 0..<Int.random(in: 1...2, using: &dice) {
            switch Int.random(in: 0..<9, using: &dice) {
            case 0: other.aggregate = aggregate == "mean" ? "max" : "mean"
            case 1: other.timeZone = timeZone == "UTC" ? "Asia/Kathmandu" : "UTC"
            case 2: other.maxGap = .random(in: 3...30, using: &dice)
            case 3: other.horizon = .random(in: 2...4, using: &dice)
            case 4: other.quantiles = Bool.random(using: &dice) ? "0.05, 0.5, 0.95" : "0.1, 0.25, 0.5, 0.75, 0.9"
            case 5: other.opponents = Bool.random(using: &dice) ? "\"holt-winters\"" : "\"seasonal-naive\""
            case 6: other.name = name == "house" ? "home" : "house"
            case 7: other.cadenceMinutes = Bool.random(using: &dice) ? 10 : 20
            default:
                other.mine = Self.series.indices.filter { _ in Int.random(in: 0..<4, using: &dice) > 0 }
                other.hasShed = Bool.random(using: &dice)
            }
        }
        return other
    }

    /// The forecaster of a series; nil if it has none.
    func forecaster(of series: Int) -> String? { mine.contains(series) ? name : hasShed ? "shed" : nil }

    var text: String {
        let names = mine.map { "\"\(Self.series[$0])\"" }.joined(separator: ", ")
        let shed = """
            [[forecaster]]
            name = "shed"
            method = "seasonal-naive"
            series = ["*"]
            retrain = "never"
            """
        return """
            commit_delay = "1ms"
            seal_after = 100
            time_zone = "\(timeZone)"

            [[series]]
            select = "*"
            cadence = "\(cadenceMinutes)m"
            lateness = "160m"
            aggregate = "\(aggregate)"

            [[forecaster]]
            name = "\(name)"
            method = "lstm"
            series = [\(names.isEmpty ? "\"none\"" : names)]
            horizon = \(horizon)
            quantiles = [\(quantiles)]
            max_gap = \(maxGap)
            retrain = "never"
            opponents = [\(opponents)]
            warm_up = 48
            training_slots = 150

            [forecaster.parameters.lstm]
            recipe = "plain"
            units = 3
            steps = 4
            batch = 4

            \(hasShed ? shed : "")
            """
    }

    /// A configuration that is refused, after all that is right in it has been read.
    var refusedText: String {
        var other = self
        other.timeZone = "America/Anchorage"
        return other.text + "\n[[sink]]\nname = \"../x\"\n"
    }
}
