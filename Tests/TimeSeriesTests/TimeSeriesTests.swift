import TestSupport
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

    @Test(
        "names that look the same and have other bytes are two series",
        arguments: [
            ("caf\u{e9}", "cafe\u{301}"), ("\u{212b}", "\u{c5}"), ("\u{ac00}", "\u{1100}\u{1161}"),
            ("\u{3a9}", "\u{2126}"), ("a\u{323}\u{307}", "a\u{307}\u{323}"),
        ])
    func bytes(_ one: String, _ other: String) throws {
        let keys = try [one, other].map { try SeriesKey(parsing: "m,p=\($0) v") }
        #expect(one == other)
        #expect(keys[0] != keys[1])
        #expect((keys[0] < keys[1]) != (keys[1] < keys[0]))
        #expect(Set(keys).count == 2)
        #expect(SeriesSelector("m,p=\(one) v").matches(keys[0]))
        #expect(!SeriesSelector("m,p=\(one) v").matches(keys[1]))
        #expect(SeriesSelector(keys[0].description) != SeriesSelector(keys[1].description))
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

    /// What a selector means, in as few words as there are.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        guard let byte = pattern.first else { return name.isEmpty }
        if byte == UInt8(ascii: "*") {
            return (name.startIndex...name.endIndex).contains { matches(pattern.dropFirst(), name[$0...]) }
        }
        return name.first == byte && matches(pattern.dropFirst(), name.dropFirst())
    }

    @Test("a selector matches what it means")
    func selectorMeaning() {
        var random = SeededGenerator(7)
        for _ in 0..<20_000 {
            let pattern = (0..<Int.random(in: 0...7, using: &random)).map { _ in
                "ab**".utf8.randomElement(using: &random) ?? 0
            }
            let name = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                "ab".utf8.randomElement(using: &random) ?? 0
            }
            let (text, key) = (String(decoding: pattern, as: UTF8.self), String(decoding: name, as: UTF8.self))
            #expect(
                SeriesSelector(text).matches(SeriesKey(canonical: key)) == Self.matches(pattern[...], name[...]),
                "\(text) and \(key)")
        }
    }

    @Test("a selector from outside has a limit of length and of stars")
    func boundedSelector() throws {
        #expect(try SeriesSelector(parsing: "room,*").description == "room,*")
        #expect(throws: SeriesSelectorError.tooLong(bytes: 65_537)) {
            try SeriesSelector(parsing: String(repeating: "x", count: 65_537))
        }
        #expect(throws: SeriesSelectorError.tooManyStars(65)) {
            try SeriesSelector(parsing: String(repeating: "x*", count: 65))
        }
    }

    // Each of these took minutes when it took the product of two lengths.

    @Test("the worst selector is matched in the time of reading the name", .timeLimit(.minutes(1)))
    func linearSelector() {
        let run = String(repeating: "a", count: 32_767)
        let name = SeriesKey(canonical: run + run)
        let selector = SeriesSelector("*" + run + "b*")
        for _ in 0..<50 { #expect(!selector.matches(name)) }
    }

    @Test("a name with very many tags is parsed in the time of reading it", .timeLimit(.minutes(1)))
    func linearName() throws {
        let tags = (0..<9_000).map { ",\(String($0, radix: 36))=1" }.joined()
        for _ in 0..<50 { #expect(try SeriesKey(parsing: "room\(tags) t").description.hasSuffix(" t")) }
        #expect(throws: SeriesKeyError.self) { try SeriesKey(parsing: "room\(tags),0=1 t") }
        #expect(throws: SeriesKeyError.self) { try SeriesKey(parsing: "room " + String(repeating: "t", count: 65_536)) }
    }

    @Test("among 40,000 names the nearest of a mistyped one are found in a moment", .timeLimit(.minutes(1)))
    func boundedNearest() {
        let tail = String(repeating: "x", count: 150)
        let names = (0..<40_000).map { "sensor,id=\($0),\(tail)=1 t" }
        for _ in 0..<4 {
            #expect(nearestNames(to: "sensor,id=39999,\(tail)=1 tt", among: names).first == names[39_999])
        }
        #expect(nearestNames(to: String(repeating: "x", count: 1_000_000), among: names).isEmpty)
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
