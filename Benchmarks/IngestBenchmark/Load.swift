import Engine
import Foundation
import TimeSeries

/// Sensor readings: one decimal, on a grid of minutes, the series interleaved.
struct Load {
    let seriesCount: Int
    let slots: Int
    /// In minutes since the epoch.
    private let start: Int

    /// The last slot is the current minute, because readings far ahead are refused.
    init(seriesCount: Int, slots: Int) {
        (self.seriesCount, self.slots) = (seriesCount, slots)
        start = Int(Date().timeIntervalSince1970) / 60 - slots + 1
    }

    private func tenths(_ series: Int, _ slot: Int) -> Int {
        200 + abs((slot + 11 * series) % 96 - 48) + (slot &* 7_919 &+ series &* 104_729) % 17
    }

    /// One line for each of `series` at `slot`.
    func lines(_ series: Range<Int>, slot: Int) -> [UInt8] {
        var text = ""
        for id in series {
            let value = tenths(id, slot)
            text += "room,id=\(id) t=\(value / 10).\(value % 10) \((start + slot) * 60_000_000_000)\n"
        }
        return Array(text.utf8)
    }

    func readings(_ series: Range<Int>, slot: Int) -> [IncomingReading] {
        let time = Timestamp.from(seconds: Int64(start + slot) * 60)
        return series.map { id in
            let key = SeriesKey(measurement: "room", tags: [("id", "\(id)")], field: "t")
            return IncomingReading(key: key, timestamp: time, value: Double(tenths(id, slot)) / 10)
        }
    }

    /// The series in `count` equal parts: one for each sender.
    func parts(_ count: Int) -> [Range<Int>] {
        (0..<count).map { $0 * seriesCount / count..<($0 + 1) * seriesCount / count }
    }

    private func pieces(_ series: Range<Int>, _ most: Int) -> [Range<Int>] {
        let count = min(most, series.count)
        return stride(from: series.lowerBound, to: series.upperBound, by: count).map {
            $0..<min($0 + count, series.upperBound)
        }
    }

    /// `[sender][request]`: each sender has its share of the series, and one request holds some slots of it.
    func requests(_ slots: Range<Int>, _ shape: Shape) -> [[[UInt8]]] {
        parts(shape.senders).map { part in
            stride(from: slots.lowerBound, to: slots.upperBound, by: shape.slots).flatMap { first in
                pieces(part, shape.mostSeries).map { piece in
                    (first..<min(first + shape.slots, slots.upperBound)).flatMap { lines(piece, slot: $0) }
                }
            }
        }
    }
}

/// How readings are sent: by whom, and how much is acknowledged at a time.
struct Shape {
    var senders = 8
    /// Slots in one request. One slot means that every reading is forecast from.
    var slots = 1
    /// Series in one request at most.
    var mostSeries = Int.max

    /// Lines in one request.
    func lines(_ load: Load) -> Int { slots * min(load.seriesCount / senders, mostSeries) }

    /// About 5,000 lines a request, as InfluxDB's manual recommends: in parallel, or as one file by one sender.
    static func large(_ load: Load, senders: Int) -> Shape {
        Shape(senders: senders, slots: max(1, 5_000 * senders / load.seriesCount), mostSeries: 5_000)
    }
}
