import Testing
import TimeSeries

@Suite("The vocabulary")
struct TimeSeriesTests {
    @Test("a series name is canonical: tags ascend and special characters are escaped")
    func canonicalKey() throws {
        let key = SeriesKey(measurement: "ro om", tags: [("z", "1"), ("a", "x,y")], field: "t")
        #expect(key.description == #"ro\ om,a=x\,y,z=1 t"#)
        #expect(try SeriesKey(parsing: key.description) == key)
        #expect(try SeriesKey(parsing: "room,id=1 t").description == "room,id=1 t")
    }

    @Test(
        "text that names no series is refused",
        arguments: [
            "", "room", "room,id t", " t", "a b c", "room,=1 t", "room,id=1,id=2 t", "#room t", "room t=1", "room a,b",
            "room t\\", "ro\tom t",
        ])
    func refusedKey(_ text: String) {
        #expect(throws: SeriesKeyError.self) { try SeriesKey(parsing: text) }
    }

    @Test(
        "a name has one text, whatever backslashes and accents are in it",
        arguments: [
            #"m\=x,t\ag=east\\ west f""#, #"a\\,b c"#, "m,\\ \u{308}=\\,\u{301} f\\ \u{308}", #"\,\ ,\==\= \,\="#,
        ])
    func oneText(_ text: String) throws {
        #expect(try Array(SeriesKey(parsing: text).description.utf8) == Array(text.utf8))
    }

    @Test("a star in a selector stands for any characters")
    func selector() throws {
        let key = try SeriesKey(parsing: "room,id=1 t")
        for pattern in ["*", "room,*", "* t", "room,id=* t", "r*=1*t", "room,id=1 t"] {
            #expect(SeriesSelector(pattern).matches(key), "\(pattern)")
        }
        for pattern in ["room", "* u", "x*", "room,id=1 t*t", ""] {
            #expect(!SeriesSelector(pattern).matches(key), "\(pattern)")
        }
    }

    @Test("the cadence is the snapped median interval, whatever the order of arrival")
    func cadence() throws {
        let times = (0..<17).map { Timestamp.from(seconds: 1_000 + 61 * Int64($0)) }
        #expect(Cadence.inferred(from: times.reversed()) == Cadence(nanoseconds: 60_000_000_000))
        #expect(Cadence.inferred(from: times.dropLast()) == nil)
        let fast = (0..<30).map { Timestamp(nanoseconds: 10_100_000 * Int64($0)) }
        #expect(Cadence.inferred(from: fast) == Cadence(nanoseconds: 10_000_000))
    }

    @Test("slots are floors, before the epoch too")
    func slots() throws {
        let cadence = try #require(Cadence(nanoseconds: 10))
        #expect(cadence.slot(of: Timestamp(nanoseconds: -1)) == -1)
        #expect(cadence.slot(of: Timestamp(nanoseconds: 19)) == 1)
        #expect(cadence.start(of: .max) == .distantFuture)
    }

    @Test("aggregates run in the order of time")
    func aggregates() {
        #expect(Aggregate.mean([1, 2, 6]) == 3)
        #expect(Aggregate.last([1, 2, 6]) == 6)
        #expect(Aggregate.max([1, 7, 6]) == 7)
        #expect(Aggregate.min([3, 2, 6]) == 2)
        #expect(Aggregate.sum([3, 2, 6]) == 11)
        #expect(Aggregate.mean([Double]()) == nil)
    }

    @Test("a mistyped name finds its neighbours")
    func nearest() {
        #expect(nearestNames(to: "room,id=1 tt", among: ["room,id=1 t", "host load"]) == ["room,id=1 t"])
    }
}
