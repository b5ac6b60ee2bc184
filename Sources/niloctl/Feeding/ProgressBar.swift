import Glibc

/// A progress bar on standard error, shown only on a terminal.
struct ProgressBar {
    /// In bytes; nil if not known.
    private let total: Int?
    private let isShown: Bool
    private let start = ContinuousClock.now
    private let startOffset: Int
    private var shown: ContinuousClock.Instant?

    init(total: Int?, from offset: Int, isQuiet: Bool) {
        (self.total, startOffset) = (total, offset)
        isShown = !isQuiet && isatty(2) == 1
    }

    /// Draws the bar, at most ten times a second.
    mutating func show(offset: Int, readings: Int, sinceStart: Int) {
        let now = ContinuousClock.now
        guard isShown, shown.map({ now - $0 > .milliseconds(100) }) ?? true else { return }
        shown = now
        let seconds = max(0.001, (now - start) / .seconds(1))
        let rate = "\(readings) readings, \(short(Double(sinceStart) / seconds, digits: 3))/s"
        guard let total, total > 0 else { return write(rate) }
        let done = min(1, Double(offset) / Double(total))
        let speed = Double(offset - startOffset) / seconds
        let left = speed > 0 ? Int((Double(total - offset) / speed).rounded(.up)) : 0
        let filled = Int(30 * done)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        write("\(bar) \(Int(100 * done)) %  \(rate)  \(Self.time(left)) left")
    }

    /// Erases the bar, so that other output starts on an empty line.
    func clear() { if shown != nil { Output.draw("\r\u{1B}[K", on: 2) } }

    private func write(_ text: String) { Output.draw("\r\u{1B}[K" + text, on: 2) }

    private static func time(_ seconds: Int) -> String {
        let (minutes, rest) = (seconds / 60, seconds % 60)
        return "\(minutes):\(rest < 10 ? "0" : "")\(rest)"
    }
}
