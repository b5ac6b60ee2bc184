import Glibc
import LineProtocol
import TimeSeries

/// Shows the content of line protocol without sending it: a line of JSON per point on standard output, and
/// `line:column: what was expected` per refused line on standard error.
struct DryRun {
    var precision: Precision
    /// The time of points without a timestamp.
    var now: Timestamp

    /// - Returns: how many lines were refused.
    func run(_ input: UnsafeMutablePointer<FILE>) -> Int {
        let decoder = PointDecoder(precision: precision)
        var pending: [UInt8] = []
        var (line, refused, size, isWhole) = (1, 0, 1_048_576, false)
        while !isWhole {
            isWhole = !Self.read(size, from: input, to: &pending)
            var (points, problems) = ("", "")
            let read = pending.withUnsafeBufferPointer { bytes in
                decoder.decode(bytes, firstLine: line, isWhole: isWhole) { result in
                    switch result {
                    case .success(let point): points += PointEncoder.json(point, time: now, precision: precision)
                    case .failure(let problem):
                        problems += "\(problem)\n"
                        refused += 1
                    }
                }
            }
            Output.print(points)
            Output.complain(problems)
            pending.removeFirst(read.consumed)
            line = read.line
            // A long entry is parsed again with each piece, so the pieces grow with it.
            if read.consumed == 0 { size *= 2 }
        }
        return refused
    }

    /// Reads up to `count` bytes; returns false at the end.
    private static func read(_ count: Int, from file: UnsafeMutablePointer<FILE>, to bytes: inout [UInt8]) -> Bool {
        var received = 0
        let piece = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            received = fread(buffer.baseAddress, 1, count, file)
            initialized = received
        }
        bytes += piece
        return received == count
    }
}
