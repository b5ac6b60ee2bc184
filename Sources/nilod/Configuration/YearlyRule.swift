import TimeSeries

/// What a zone does every year, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/V1_chap08.html#tag_08_03, with hours of −167…167 as RFC 8536
/// allows.
struct YearlyRule: Sendable {
    private let standard: Int32
    private let summer: (offset: Int32, start: Change, end: Change)?

    /// - Parameter text: the end of a zone file, between two line feeds; nil if it says no rule.
    init?(_ text: ArraySlice<UInt8>) {
        var scanner = Scanner(rest: text.drop { $0 == UInt8(ascii: "\n") }.prefix { $0 != UInt8(ascii: "\n") })
        guard scanner.name(), let west = scanner.time() else { return nil }
        standard = -west
        guard !scanner.isAtEnd else {
            summer = nil
            return
        }
        guard scanner.name() else { return nil }
        let offset: Int32
        if scanner.isAt(",") {
            offset = standard + 3_600
        } else {
            guard let west = scanner.time() else { return nil }
            offset = -west
        }
        guard scanner.skip(","), let start = scanner.change(), scanner.skip(","), let end = scanner.change() else {
            return nil
        }
        summer = (offset, start, end)
    }

    func offset(at seconds: Int64) -> Int32 {
        guard let summer else { return standard }
        let year = CivilDay.year(of: floorDivide(seconds &+ Int64(standard), 86_400))
        let start = summer.start.seconds(in: year) - Int64(standard)
        let end = summer.end.seconds(in: year) - Int64(summer.offset)
        let isSummer = start < end ? start <= seconds && seconds < end : !(end <= seconds && seconds < start)
        return isSummer ? summer.offset : standard
    }

    /// One day and time of a year.
    fileprivate struct Change: Sendable {
        enum Day: Sendable {
            /// 1…365; 29 February is never counted.
            case julian(Int64)
            /// 0…365
            case day(Int64)
            /// Month, week 1…5 (5: the last), day of the week from Sunday.
            case week(Int64, Int64, Int64)
        }

        var day: Day
        /// Seconds from midnight.
        var time: Int32

        /// Seconds of the local clock since the epoch.
        func seconds(in year: Int64) -> Int64 {
            let january = CivilDay.days(year, 1, 1)
            let number: Int64
            switch day {
            case .julian(let day): number = january + day - 1 + (CivilDay.isLeap(year) && day >= 60 ? 1 : 0)
            case .day(let day): number = january + day
            case .week(let month, let week, let weekday):
                let first = CivilDay.days(year, month, 1)
                // 1970-01-01 was a Thursday.
                let offset = weekday - 4 - first - floorDivide(weekday - 4 - first, 7) * 7
                let length = CivilDay.days(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - first
                let all = stride(from: offset, to: length, by: 7).map { $0 }
                number = first + all[min(Int(week), all.count) - 1]
            }
            return number * 86_400 + Int64(time)
        }
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        var isAtEnd: Bool { rest.isEmpty }

        func isAt(_ letter: Unicode.Scalar) -> Bool { rest.first == UInt8(ascii: letter) }

        mutating func skip(_ letter: Unicode.Scalar) -> Bool {
            guard isAt(letter) else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// `CET` or `<+03>`.
        mutating func name() -> Bool {
            if skip("<") {
                rest = rest.drop { $0 != UInt8(ascii: ">") }
                return skip(">")
            }
            let letters = rest.prefix { UInt8(ascii: "A") <= $0 & 0xDF && $0 & 0xDF <= UInt8(ascii: "Z") }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }

        mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
            let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            guard (1...3).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            let number = digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
            return range.contains(number) ? number : nil
        }

        /// Seconds of `[+-]hh[:mm[:ss]]`.
        mutating func time() -> Int32? {
            let sign: Int64 = skip("-") ? -1 : 1
            if sign > 0 { _ = skip("+") }
            guard var seconds = number(0...167).map({ $0 * 3_600 }) else { return nil }
            for unit in [60, 1] as [Int64] where skip(":") {
                guard let part = number(0...59) else { return nil }
                seconds += part * unit
            }
            return Int32(sign * seconds)
        }

        mutating func change() -> Change? {
            guard let day = day() else { return nil }
            guard skip("/") else { return Change(day: day, time: 7_200) }
            return time().map { Change(day: day, time: $0) }
        }

        private mutating func day() -> Change.Day? {
            if skip("J") { return number(1...365).map { .julian($0) } }
            guard skip("M") else { return number(0...365).map { .day($0) } }
            guard let month = number(1...12), skip("."), let week = number(1...5), skip("."), let day = number(0...6)
            else { return nil }
            return .week(month, week, day)
        }
    }
}
