import LineProtocol
import TimeSeries

/// What libFuzzer calls with each input: no bytes may make the decoder trap or read outside of them, and its ways agree.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLineProtocol(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    var decoder = ReadingDecoder()
    let first = decoder.decode(bytes)
    let points = readPoints(bytes)
    check(first.readings == points.readings && first.problems == points.problems, "both decoders agree")
    let again = decoder.decode(bytes)
    check(again.readings == first.readings && again.problems == first.problems, "memory changes nothing")
    let cut = count / 2
    let head = decoder.decode(UnsafeBufferPointer(rebasing: bytes[..<cut]), isWhole: false)
    let tail = decoder.decode(UnsafeBufferPointer(rebasing: bytes[head.consumed...]))
    check(head.readings + tail.readings == first.readings, "pieces give what the whole gives")
    for reading in first.readings {
        let parsed = try? SeriesKey(parsing: reading.key.description)
        check(
            parsed?.description.utf8.elementsEqual(reading.key.description.utf8) == true, "a name reads back the same")
        let line = ReadingEncoder.lineProtocol(reading.key, Timestamp(nanoseconds: 1), reading.value)
        let exported = DecodedBatch(lineProtocol: Array(line.utf8))
        check(exported.readings.first?.value.bitPattern == reading.value.bitPattern, "an export reads back the same")
    }
    _ = DecodedBatch(csv: String(decoding: bytes, as: UTF8.self))
    return 0
}

private func readPoints(
    _ bytes: UnsafeBufferPointer<UInt8>
) -> (readings: [IncomingReading], problems: [LineProblem]) {
    var readings: [IncomingReading] = []
    var problems: [LineProblem] = []
    _ = PointDecoder().decode(bytes) { result in
        switch result {
        case .success(let point):
            for field in point.fields {
                guard let value = field.value.number else { continue }
                let tags = point.tags.map { ($0.key, $0.value) }
                let key = SeriesKey(measurement: point.measurement, tags: tags, field: field.key)
                readings.append(IncomingReading(key: key, timestamp: point.timestamp, value: value))
            }
            _ = PointEncoder.json(point, time: Timestamp(nanoseconds: 0), precision: .seconds)
        case .failure(let problem): problems.append(problem)
        }
    }
    return (readings, problems)
}

private func check(_ holds: Bool, _ promise: String) {
    if !holds { fatalError("broken promise: \(promise)") }
}
